// validate.h: what no single field can know.
//
// Runs once all sources are applied: fills in what follows from other fields (addresses, upstream indices, the state
// folder), and reports contradictions, names that lead nowhere, and files that cannot be read.
#pragma once

#include <string_view>

#include <ringwall/config/config.h>
#include <ringwall/config/ledger.h>
#include <ringwall/config/load.h>

namespace ringwall::config {

// Fields that already have a problem are not judged again.
void validate(const Sources& sources, Config& config, Ledger& ledger);

}  // namespace ringwall::config
