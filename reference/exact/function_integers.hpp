// What pow and atan2 decide in integers, to any precision that it takes: on which side of the midpoint of two floats a
// result lies. Internal to functions.cpp. (function_integers.cpp holds fmod, remainder and remquo as well.)
//
// Logarithms, sines and cosines are series whose terms are fixed-point numbers times and over small integers, off by a
// few units of the last place each. If the difference is not clear of the last 64 bits, twice the bits decide; there
// is an end to this, as the two sides are equal for no arguments but those that are excluded (for atan2, where y and x
// are rational and b is too, by Lindemann's theorem).
#pragma once

namespace assay::functions::integers {

// x^y > b, for x > 0 and y not zero with at most 24 bits, b > 0 with at most 25; x and b are not 1, b and x^y lie on
// one side of 1 and differ, and x^y is in the range of float32.
bool power_above(double x, double y, double b);

// Whether x^y has at most 26 significant bits, and its value; arguments as above.
bool exact_power(double x, double y, double& result);

// The angle of (x, y) is above b, for y > 0, 2^-40 < y / |x| < 2^40 and 0 < b < pi of at most 25 bits.
bool angle_above(double y, double x, double b);

}  // namespace assay::functions::integers
