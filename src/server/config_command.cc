#include <ringwall/config/sample.h>
#include <ringwall/server/options.h>
#include <ringwall/server/output.h>

namespace ringwall::server {

int run_config(const Options&) { return print(config::sample()); }

}  // namespace ringwall::server
