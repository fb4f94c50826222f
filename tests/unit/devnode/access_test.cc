#include "devnode/access.h"

#include <array>
#include <string>

#include "unit/catch.h"

using namespace ringwall;
using namespace ringwall::devnode;

namespace {

std::string cors(std::string_view origin, bool allow_any, bool is_preflight) {
  std::array<char, 1024> memory;
  http::HeadWriter writer(memory);
  write_cors(writer, origin, allow_any, is_preflight);
  return {memory.data(), writer.end().value()};
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("only this machine's names with the port are local hosts") {
  for (const char* host : {"localhost:9944", "LOCALHOST:9944", "127.0.0.1:9944", "[::1]:9944"}) {
    INFO(host);
    CHECK(is_local_host(host, 9944));
  }
  for (const char* host : {"localhost", "localhost:9945", "localhost:99440", "localhost.example:9944", "127.0.0.2:9944",
                           "::1:9944", "example.com:9944", ""}) {
    INFO(host);
    CHECK(!is_local_host(host, 9944));
  }
  CHECK(is_local_host("localhost", 80));
}

TEST_CASE("origins of this machine and of the Apps are known") {
  CHECK(is_known_origin("http://localhost:3000"));
  CHECK(is_known_origin("https://127.0.0.1:1"));
  CHECK(is_known_origin("https://polkadot.js.org"));
  CHECK(!is_known_origin("http://localhost.example:3000"));
  CHECK(!is_known_origin("http://localhost:3000.example"));
  CHECK(!is_known_origin("http://polkadot.js.org"));
  CHECK(!is_known_origin(""));
}

TEST_CASE("an answer names the origin it is for only if that is known, or any if all are let in") {
  CHECK(has(cors("http://localhost:1", false, false), "access-control-allow-origin: http://localhost:1\r\n"));
  CHECK(!has(cors("https://example.com", false, false), "access-control-allow-origin"));
  CHECK(has(cors("https://example.com", true, false), "access-control-allow-origin: *\r\n"));
  CHECK(has(cors("https://example.com", true, true), "access-control-allow-methods: *\r\n"));
  CHECK(!has(cors("https://example.com", true, false), "access-control-allow-methods"));
}
