#pragma once
// Numbers as pictures show them: three significant digits, thousands separated, a real minus sign, the unit beside it.
// Full precision belongs in tooltips and exports. Threads: pure functions.

#include <cstdint>
#include <string>

namespace moescope::views {

/// "9.36", "0.00412", "12,300", "−0.5"; "–" for what was not measured (NaN).
std::string figure(double value);
/// The same with its zeros ("8.50"), for a value that stands beside others like it.
std::string figure_with_zeros(double value);

/// For tooltips: six significant digits.
std::string exact(double value);
/// The same for a difference: "+2.5", "−0.5", "0".
std::string signed_exact(double value);
/// figure() for a difference.
std::string signed_figure(double value);

/// A sentence with its fractions of more than six significant digits cut to six: "0.002512566719800475" becomes
/// "0.00251257". Counts, paths and names stay.
std::string with_short_numbers(const std::string& text);

/// A share from 0 to 1: "40 %", "1.8 %", "0.3 %", "0 %", "<0.1 %".
std::string percent(double share);

/// "step 1,240"
std::string step_text(std::int64_t step);

}  // namespace moescope::views
