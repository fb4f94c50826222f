// syntax.h: what a text field may hold, and the sentence that says so.
//
// A Syntax turns what was written into the one form that the program compares (names in lower case, addresses in
// canonical form), or refuses it. Pure functions; no file is looked at.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ringwall::config {

struct Syntax {
  std::optional<std::string> (*normalise)(std::string_view text);
  std::string_view expected;
};

extern const Syntax file_path;       // Any path of the file system; "" for none.
extern const Syntax account_name;    // A user or a group; "" for none.
extern const Syntax upstream_name;   // What routes refer to; "" for the default.
extern const Syntax sni_pattern;     // Route::sni.
extern const Syntax path_pattern;    // Route::path.
extern const Syntax public_host;     // Listener::public_name.
extern const Syntax web_origin;      // Listener::origins: what a browser sends as Origin (RFC 6454 section 6.1).
extern const Syntax method_pattern;  // A method's name, or the start of one and an asterisk.
extern const Syntax method_cost;     // The same, "=" and a number of units.
extern const Syntax served_name;     // A DNS name, a wildcard or an IP address for a certificate.

}  // namespace ringwall::config
