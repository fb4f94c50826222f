// The methods about blocks, storage and the runtime.
#include "devnode/hex.h"
#include "unit/catch.h"
#include "unit/devnode/fixture.h"

using namespace ringwall::devnode;

namespace {

constexpr const char* number_key = "0x26aa394eea5630e07c48ae0c9558cef702a5c1b19ab7a04f536c519aca4983ac";
constexpr const char* time_key = "0xf0c365c3cf59d671eb72da0e7a4113c49f1f0515f462cdcf84e0f1d6045dfcbb";
constexpr const char* null_result = "\"result\":null";

std::string list_of(std::string_view text) { return "[\"" + std::string(text) + "\"]"; }
std::string hash_text(const Fixture& fixture, std::uint32_t number) { return to_hex(*fixture.node.chain.hash(number)); }

}  // namespace

TEST_CASE("a block's hash is told by number, by its digits, in lists, and null where there is none") {
  Fixture fixture;
  fixture.advance();
  const std::string zero = "\"" + hash_text(fixture, 0) + "\"", one = "\"" + hash_text(fixture, 1) + "\"";
  CHECK(fixture.call("chain_getBlockHash") == "\"result\":" + one);
  CHECK(fixture.call("chain_getBlockHash", "[null]") == "\"result\":" + one);
  CHECK(fixture.call("chain_getBlockHash", "[0]") == "\"result\":" + zero);
  CHECK(fixture.call("chain_getHead", "[\"0x1\"]") == "\"result\":" + one);
  CHECK(fixture.call("chain_getBlockHash", "[[1,0,2]]") == "\"result\":[" + one + "," + zero + ",null]");
  CHECK(fixture.call("chain_getBlockHash", "[4294967296]") == null_result);
  CHECK(fixture.call("chain_getBlockHash", "[-1]").find("-32602") != std::string::npos);
  CHECK(fixture.call("chain_getBlockHash", "[\"1\"]").find("-32602") != std::string::npos);
}

TEST_CASE("headers and blocks are told by hash, and null for one that is not known") {
  Fixture fixture;
  fixture.advance();
  const std::string header = fixture.node.chain.header(1)->to_json();
  CHECK(fixture.call("chain_getHeader") == "\"result\":" + header);
  CHECK(fixture.call("chain_getHeader", list_of(hash_text(fixture, 1))) == "\"result\":" + header);
  CHECK(fixture.call("chain_getBlock") ==
        R"("result":{"block":{"header":)" + header + R"(,"extrinsics":[]},"justifications":null})");
  const std::string unknown = list_of("0x" + std::string(64, '7'));
  CHECK(fixture.call("chain_getHeader", unknown) == null_result);
  CHECK(fixture.call("chain_getBlock", unknown) == null_result);
  CHECK(fixture.call("chain_getHeader", list_of("0x12")).find("-32602") != std::string::npos);
}

TEST_CASE("storage tells the block's number and time, as they were at that block, and null for the rest") {
  Fixture fixture;
  fixture.advance();
  fixture.advance();
  CHECK(fixture.call("state_getStorage", list_of(number_key)) == R"("result":"0x02000000")");
  CHECK(fixture.call("state_getStorage", "[\"" + std::string(number_key) + "\",\"" + hash_text(fixture, 1) + "\"]") ==
        R"("result":"0x01000000")");
  CHECK(fixture.call("state_getStorage", list_of(time_key)).size() == std::string(R"("result":"0x")").size() + 16);
  CHECK(fixture.call("state_getStorage", list_of("0x")) == null_result);
  CHECK(fixture.call("state_getStorage", "[]").find("-32602") != std::string::npos);
  CHECK(fixture.call("state_getStorage", list_of("number")).find("-32602") != std::string::npos);
}

TEST_CASE("storage at a block that is not known is an error, not a null") {
  Fixture fixture;
  const std::string unknown = "0x" + std::string(64, '7');
  CHECK(fixture.call("state_getStorage", R"(["0x00",")" + unknown + "\"]").find("4003") != std::string::npos);
  CHECK(fixture.call("state_getRuntimeVersion", list_of(unknown)).find("4003") != std::string::npos);
}

TEST_CASE("a query of storage answers each key, with null where nothing is stored") {
  Fixture fixture;
  CHECK(fixture.call("state_queryStorageAt", "[[\"" + std::string(number_key) + "\",\"0x01\"]]") ==
        R"("result":[{"block":")" + hash_text(fixture, 0) + R"(","changes":[[")" + number_key +
            R"(","0x00000000"],["0x01",null]]}])");
  CHECK(fixture.call("state_queryStorageAt", "[1]").find("-32602") != std::string::npos);
}

TEST_CASE("metadata is told whole, and through the runtime's functions in SCALE") {
  const std::string metadata("meta\x0e\x01\xff", 7);
  Fixture fixture({}, metadata);
  CHECK(fixture.call("state_getMetadata") == R"("result":"0x6d6574610e01ff")");
  CHECK(fixture.call("state_call", R"(["Metadata_metadata_versions","0x"])") == R"("result":"0x040e000000")");
  CHECK(fixture.call("state_call", R"(["Metadata_metadata_at_version","0x0e000000"])") ==
        R"("result":"0x011c6d6574610e01ff")");
  CHECK(fixture.call("state_call", R"(["Metadata_metadata_at_version","0x0f000000"])") == R"("result":"0x00")");
  CHECK(fixture.call("state_call", R"(["Core_version","0x"])").find("4003") != std::string::npos);
}
