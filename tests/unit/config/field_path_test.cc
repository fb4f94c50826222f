#include <ringwall/config/field_path.h>

#include "unit/catch.h"

using namespace ringwall::config;

namespace {

std::string of_variable(std::string_view name) {
  const std::optional<FieldPath> path = path_of_variable(name);
  return path ? to_text(*path) : "nothing";
}

}  // namespace

TEST_CASE("a field's name is read with its indices and written back") {
  for (const char* text : {"server.shards", "listener[0].certificate[12].cert", "upstream[3].address", "a", "a-b_1"}) {
    const std::optional<FieldPath> path = parse_field_path(text);
    REQUIRE(path);
    CHECK(to_text(*path) == text);
  }
  CHECK(schema_text(*parse_field_path("listener[0].certificate[12].cert")) == "listener.certificate.cert");
}

TEST_CASE("what is no field's name is refused") {
  for (const char* text : {"", ".", "a.", ".a", "a..b", "A.b", "a b", "a[", "a[]", "a[x]", "a[-1]", "a[12345]", "a[0",
                           "[0]", "a[0]b", "a[0][0]", "a.b.c.d.e"}) {
    INFO(text);
    CHECK_FALSE(parse_field_path(text));
  }
}

TEST_CASE("a variable names its field in capitals, with indices between underscores") {
  CHECK(of_variable("RINGWALL_TIMEOUTS_HEAD_MS") == "timeouts.head_ms");
  CHECK(of_variable("RINGWALL_SERVER_SHARDS") == "server.shards");
  CHECK(of_variable("RINGWALL_LISTENER_0_ADDRESS") == "listener[0].address");
  CHECK(of_variable("RINGWALL_LISTENER_ADDRESS") == "listener.address");
  CHECK(of_variable("RINGWALL_LISTENER_1_SELF_SIGNED") == "listener[1].self_signed");
  CHECK(of_variable("RINGWALL_LISTENER_0_CERTIFICATE_2_CERT") == "listener[0].certificate[2].cert");
  CHECK(of_variable("RINGWALL_LISTENER_0_ROUTE_0_UPSTREAM") == "listener[0].route[0].upstream");
  CHECK(of_variable("RINGWALL_LISTENER_0_UPSTREAM") == "listener[0].upstream");
  CHECK(of_variable("RINGWALL_UPSTREAM_1_CONNECTIONS_MAX") == "upstream[1].connections_max");
}

TEST_CASE("variables of others are left alone, those of Kubernetes services too") {
  for (const char* name : {"PATH", "RINGWALL", "RINGWALL_", "ringwall_server_shards", "RINGWALL_SERVER",
                           "RINGWALL_SERVER_", "RINGWALL_LISTENER_0", "RINGWALL_SERVICE_HOST", "RINGWALL_SERVICE_PORT",
                           "RINGWALL_PORT", "RINGWALL_PORT_443_TCP_ADDR", "RINGWALL_SERVER_SERVICE_HOST",
                           "RINGWALL_SERVER_PORT_80_TCP", "RINGWALL_LISTENER_PORT", "XRINGWALL_SERVER_SHARDS"}) {
    INFO(name);
    CHECK_FALSE(path_of_variable(name));
    CHECK_FALSE(misspelt_section(name));
  }
}

TEST_CASE("a variable of a section that is nearly one of ours is known for a mistake") {
  CHECK(misspelt_section("RINGWALL_LISTNER_0_ADDRESS") == "listener");
  CHECK(misspelt_section("RINGWALL_TIMEOUT_HEAD_MS") == "timeouts");
  CHECK_FALSE(misspelt_section("RINGWALL_IMAGE_TAG"));
}
