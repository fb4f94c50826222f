#include <ringwall/rpc/unsubscribe.h>

#include <string>
#include <string_view>

#include "unit/catch.h"

namespace ringwall::rpc {
namespace {

// As Inspector hands params out: in a block of exactly their size, so that a sanitizer sees a read past them.
std::string named(std::string_view params) {
  const std::string exact(params);
  return std::string(subscription_in(exact));
}

TEST_CASE("an unsubscribe names the first of its params or the only one, as it stands") {
  CHECK(named(R"(["abc"])") == R"("abc")");
  CHECK(named(R"([ "a\"]c" , 1 ])") == R"("a\"]c")");
  CHECK(named("[12]") == "12");
  CHECK(named("[ 12 ]") == "12");
  CHECK(named("[-1.5e3,2]") == "-1.5e3");
  CHECK(named(R"({"subscription":"abc"})") == R"("abc")");
  CHECK(named(R"( {})").empty());
  CHECK(named(R"({ "s\"{" : 12 })") == "12");
  CHECK(named(R"({"a":"{"})") == R"("{")");
}

TEST_CASE("what is no string and no number, or not the only member, is no subscription") {
  for (const char* params :
       {"", "[]", "[ ]", "{}", "{ }", "[null]", "[true]", "[[1]]", R"([{"a":1}])", R"({"a":null})", R"({"a":[1]})",
        R"({"a":{"b":1}})", R"({"a":1,"b":2})", R"({"a":1,"a":1})", "1", R"("a")", "null"}) {
    INFO(params);
    CHECK(named(params).empty());
  }
}

TEST_CASE("params that are cut anywhere are read no further than their end") {
  for (const std::string_view params : {R"([ "a\"b" , 1])", R"({ "n\"m" : "v\\" })", R"({"a":12})"}) {
    for (std::size_t size = 0; size < params.size(); ++size) {
      const std::string found = named(params.substr(0, size));
      CHECK((found.empty() || found == named(params)));
    }
  }
}

TEST_CASE("a subscription's id is a string or a number") {
  for (const char* id : {R"("a")", R"("")", "0", "18446744073709551615", "-1"}) CHECK(is_subscription_id(id));
  for (const char* other : {"", "null", "true", "false"}) CHECK_FALSE(is_subscription_id(other));
}

}  // namespace
}  // namespace ringwall::rpc
