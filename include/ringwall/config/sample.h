// sample.h: the whole configuration with comments, printed from the schema.
//
// Every field is in it: as a comment with its default or an example, or as it stands where a configuration needs it.
// The sample is itself a valid configuration: a self-signed listener in front of a node on this machine.
#pragma once

#include <string>

namespace ringwall::config {

[[nodiscard]] std::string sample();

}  // namespace ringwall::config
