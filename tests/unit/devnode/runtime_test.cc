#include "devnode/runtime.h"

#include "unit/catch.h"

using namespace ringwall::devnode;

namespace {

std::string digits(const Runtime& runtime) {
  const auto slice = runtime.metadata_digits();
  return {reinterpret_cast<const char*>(slice.bytes().data()), slice.size()};
}

}  // namespace

TEST_CASE("metadata is taken as bytes, as hexadecimal text, and from a JSON answer") {
  for (const std::string& content :
       {std::string("meta\x0e\x01\xff", 7), std::string("0x6d6574610e01ff"), std::string(" 0x6D6574610E01FF\n"),
        std::string(R"("0x6d6574610e01ff")"), std::string(R"({"jsonrpc":"2.0","id":1,"result":"0x6d6574610e01ff"})")}) {
    INFO(content);
    const auto runtime = Runtime::create(content, "");
    REQUIRE(runtime);
    CHECK(digits(*runtime) == "6d6574610e01ff");
    CHECK(runtime->metadata_version() == 14);
    CHECK(runtime->metadata_bytes() == 7);
  }
}

TEST_CASE("what is no metadata is refused with the reason") {
  for (const char* content : {"hello", "0x6d657461", "0x6d6574610", "0x00112233445566", "{}", R"({"result":1})", "{"}) {
    INFO(content);
    CHECK(!Runtime::create(content, ""));
  }
}

TEST_CASE("without a file there is metadata of a runtime without pallets, and a version of our own") {
  const auto runtime = Runtime::create("", "");
  REQUIRE(runtime);
  CHECK(runtime->metadata_version() == 14);
  CHECK(runtime->metadata_bytes() == 233);
  CHECK(runtime->version_json().find("ringwall-devnode") != std::string::npos);
}

TEST_CASE("a runtime version is answered as given, if it is a JSON object") {
  const auto runtime = Runtime::create("", " {\"specName\":\"polkadot\"}\n");
  REQUIRE(runtime);
  CHECK(runtime->version_json() == R"({"specName":"polkadot"})");
  CHECK(!Runtime::create("", "[]"));
  CHECK(!Runtime::create("", "{"));
}
