#include "validation/judge/rules_text.hpp"

namespace assay::judge {
namespace {

std::string rounding_text(const FormatSpec& f, Rounding mode) {
  std::string text(f.dtype);
  if (text == "custom") text = std::to_string(f.precision) + " places";
  return text + ' ' + std::string(rounding_name(mode));
}

}  // namespace

std::string describe(const NodeRule& r) {
  std::string text = rounding_text(r.format, r.rounding);
  if (r.fraction) text += ", terms cut to " + std::to_string(*r.fraction) + " places below the largest";
  if (r.floor) text += " or below 2^" + std::to_string(*r.floor);
  if (r.flush_inputs) text += ", flushes inputs";
  if (r.flush_result) text += ", flushes results";
  if (r.infinite) text += ", overflows to infinity";
  if (r.padded) text += ", +0 added to the sum before the last term";
  return text;
}

std::string describe(const LeafRule& r) {
  std::string text = r.product ? "rounded to " + rounding_text(*r.product, r.rounding) : "exact";
  if (r.started) text += ", added to +0";
  if (r.flush_operands) text += ", flushes operands";
  if (r.flush_result) text += ", flushes results";
  return text;
}

std::string describe(Tininess tiny) {
  switch (tiny) {
    case Tininess::as_stored: return "";
    case Tininess::after_rounding:
      return "below the smallest normal number after a rounding with no limit on the exponent (as x86)";
    case Tininess::before_rounding:
      return "below the smallest normal number before they are rounded (as Arm)";
  }
  return "";
}

std::string describe(SkippedTerms skipped) {
  switch (skipped) {
    case SkippedTerms::none: return "";
    case SkippedTerms::a: return "a term whose factor in A is 0 adds nothing";
    case SkippedTerms::b: return "a term whose factor in B is 0 adds nothing";
    case SkippedTerms::either: return "a term with a factor of 0 adds nothing";
  }
  return "";
}

namespace {

std::string overflow_text(OutputOverflow overflow) {
  switch (overflow) {
    case OutputOverflow::as_rounded: return "";
    case OutputOverflow::infinite: return ", overflows to infinity";
    case OutputOverflow::largest: return ", overflows to the largest number (infinities stay)";
    case OutputOverflow::saturated: return ", overflows to the largest number, infinities too";
  }
  return "";
}

}  // namespace

std::string describe(const OutputRule& r) {
  return rounding_text(r.format, r.rounding) + overflow_text(r.overflow) +
         (r.flush ? ", flushes results" : "") + (r.started ? ", after an addition to +0" : "") +
         (r.mean ? std::string(", after ") +
                       (r.mean->reciprocal ? "times the reciprocal of the number of terms"
                                           : "a division by the number of terms") +
                       ", " + rounding_text(r.mean->format, r.mean->rounding)
                 : "");
}

}  // namespace assay::judge
