// read_file.h: a file of the operator, of at most 1 MiB. `what` names it in errors: "certificate".
#pragma once

#include <string>

#include <ringwall/error.h>

namespace ringwall::tls {

[[nodiscard]] Result<std::string> read_file(const std::string& path, const char* what);

}  // namespace ringwall::tls
