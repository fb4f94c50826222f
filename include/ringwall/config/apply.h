// apply.h: puts one given value into the Config, or into the ledger as a problem.
//
// Knows the shape of Config: which sections there are, which repeat, and that a repeated one may be named without an
// index, then the first is meant.
#pragma once

#include <ringwall/config/config.h>
#include <ringwall/config/given.h>
#include <ringwall/config/ledger.h>

namespace ringwall::config {

void apply(const Given& given, Config& config, Ledger& ledger);

}  // namespace ringwall::config
