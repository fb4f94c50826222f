#include <ringwall/server/kept_certificate.h>

#include "unit/catch.h"

using namespace ringwall::server;

TEST_CASE("a state folder that cannot be written is told with the setting that names another") {
  for (const char* folder : {"/dev/null/ringwall", "/proc"}) {
    INFO(folder);
    const auto kept = keep_self_signed(folder, {"localhost"}, 1'800'000'000);
    REQUIRE_FALSE(kept);
    CHECK(kept.error().message.starts_with("server.state_dir: "));
    CHECK(kept.error().message.find(folder) != std::string::npos);
    CHECK(kept.error().message.ends_with("; name a folder that can be written, --set server.state_dir=FOLDER"));
  }
}
