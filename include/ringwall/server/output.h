// output.h: what the program says on its standard streams, which may be full, closed or a pipe without a reader.
#pragma once

#include <string_view>

namespace ringwall::server {

// Writes all of `text`. Where it cannot be written, that is said on standard error, and the answer is 1 instead of
// `exit_code`.
[[nodiscard]] int print(std::string_view text, int exit_code = 0);

// Standard error is the last place to complain: what cannot be written there is lost.
void print_error(std::string_view text);

}  // namespace ringwall::server
