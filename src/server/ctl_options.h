// ctl_options.h: the command line of `ringwall ctl` and `ringwall top`.
#pragma once

#include <ringwall/server/options.h>

#include <CLI/CLI.hpp>

namespace ringwall::server {

// What they write into must live until `app` has parsed.
void add_ctl(CLI::App& ctl, CtlOptions& options);
void add_top(CLI::App& top, CtlOptions& options);

}  // namespace ringwall::server
