// The answer of `assay explain`, as text and as JSON. The first line of the text is the answer, the rest its basis; the
// JSON is one object on one line, without the line feed.
#pragma once

#include <string>

#include "validation/diagnose/explain/explained.hpp"

namespace assay {

std::string explanation_text(const diagnose::Explained& explained);
std::string explanation_json(const diagnose::Explained& explained);

}  // namespace assay
