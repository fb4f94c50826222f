#include <ringwall/upstream/offer.h>

#include "test_node.h"
#include "unit/catch.h"

#include <string>
#include <utility>
#include <vector>

namespace ringwall::upstream {
namespace {

using test::http_answer;
using test::offer_json;

std::string error_of(std::string_view json) {
  const auto offer = parse_offer(json);
  return offer ? "none" : offer.error().message;
}

// What comes of an answer that arrives in pieces, and the node's closing where it closes.
struct Outcome {
  bool whole = false;
  std::string error;
  Offer offer;
  bool operator==(const Outcome&) const = default;
};

Outcome read(const std::vector<std::string_view>& pieces, bool closes = false) {
  ReplyReader reader;
  Outcome outcome;
  for (const std::string_view piece : pieces) {
    const auto is_whole = reader.take(piece);
    if (!is_whole) return {.error = is_whole.error().message};
    outcome.whole = *is_whole;
    if (outcome.whole) break;
  }
  if (!outcome.whole && closes) {
    const auto ended = reader.end();
    if (!ended) return {.error = ended.error().message};
    outcome.whole = true;
  }
  if (!outcome.whole) return outcome;
  const auto offer = offer_of(reader);
  if (!offer) return {.error = offer.error().message};
  outcome.offer = *offer;
  return outcome;
}

std::string chunked(std::string_view body, std::size_t chunk_bytes) {
  std::string text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (; !body.empty(); body.remove_prefix(std::min(chunk_bytes, body.size()))) {
    const std::string_view chunk = body.substr(0, chunk_bytes);
    char size[20];
    std::snprintf(size, sizeof size, "%zx\r\n", chunk.size());
    text.append(size).append(chunk).append("\r\n");
  }
  return text + "0\r\n\r\n";
}

TEST_CASE("an offer is the names of the answer, sorted, each once") {
  const auto offer = parse_offer(offer_json({"system_chain", "eth_call", "system_chain", "author_rotateKeys"}));
  REQUIRE(offer);
  CHECK(*offer == Offer{"author_rotateKeys", "eth_call", "system_chain"});
}

TEST_CASE("an answer may have its members in any order, others among them, and a version of the list") {
  const auto offer =
      parse_offer(R"( {"result":{"version":1,"methods":["a_b"],"more":[{}]},"x":null,"id":1,"jsonrpc":"2.0"} )");
  REQUIRE(offer);
  CHECK(*offer == Offer{"a_b"});
}

TEST_CASE("what is no method's name is dropped, and the others stay") {
  const std::string longest(offered_name_bytes_max, 'a');
  const auto offer =
      parse_offer(offer_json({"eth_*", "*", "", "a b", "a\\nb", "a\\\"b", "a\\u0000b", "\xC3\xA4_b", "a,b", "a]b",
                              "a\\u001b[31m", "rpc.discover", "A-z_09", "autho\\u0072_x", longest, longest + "a"}));
  REQUIRE(offer);
  CHECK(*offer == Offer{"A-z_09", longest, "author_x", "rpc.discover"});
  CHECK(*parse_offer(R"({"id":1,"result":{"methods":[1,null,["a"],{"a":"b"},true,"a_b",1e5]}})") == Offer{"a_b"});
}

TEST_CASE("an offer has as many names as its bound, and not one more") {
  std::vector<std::string> names;
  for (std::size_t index = 0; index < offered_methods_max; ++index) names.push_back("a_" + std::to_string(index));
  const auto offer = parse_offer(offer_json(names));
  REQUIRE(offer);
  CHECK(offer->size() == offered_methods_max);
  names.push_back("a_0");
  CHECK(error_of(offer_json(names)) == "the node names more than 4096 methods");
}

TEST_CASE("what is no offer says what it is instead, without a word of the node's") {
  for (const auto& [json, why] : std::vector<std::pair<std::string, std::string>>{
           {"", "the node's answer is no JSON"},
           {"rubbish", "the node's answer is no JSON"},
           {offer_json({"a_b"}) + "x", "the node's answer is no JSON"},
           {offer_json({"a_b"}) + offer_json({"a_b"}), "the node's answer is no JSON"},
           {offer_json({"\xFF"}), "the node's answer is no JSON"},
           {std::string(100'000, '['), "the node's answer is no JSON"},
           {"[]", "the node answers another call"},
           {"null", "the node answers another call"},
           {"7", "the node answers another call"},
           {R"({"id":2,"result":{"methods":["a_b"]}})", "the node answers another call"},
           {R"({"id":"1","result":{"methods":["a_b"]}})", "the node answers another call"},
           {R"({"result":{"methods":["a_b"]}})", "the node answers another call"},
           {R"({"id":1})", "the node's answer has no result"},
           {R"({"id":1,"result":["a_b"]})", "the node's answer has no methods"},
           {R"({"id":1,"result":{"methods":"a_b"}})", "the node's answer has no methods"},
           {R"({"id":1,"result":{"methods":[]}})", "the node names no method"},
           {R"({"id":1,"result":{"methods":["*"]}})", "the node names no method"},
           {R"({"id":1,"error":{"code":-32601,"message":"evil"}})", "the node answers with error -32601"},
           {R"({"id":1,"error":{"code":"evil"}})", "the node answers with an error"},
           {R"({"id":1,"error":"evil"})", "the node answers with an error"},
       }) {
    INFO(json.substr(0, 100));
    CHECK(error_of(json) == why);
  }
}

TEST_CASE("an answer is read alike however its bytes are cut") {
  const std::string json = offer_json({"eth_call", "net_version"});
  const std::string early = "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n";
  const Outcome expected{.whole = true, .error = "", .offer = {"eth_call", "net_version"}};
  for (const std::string& text : {http_answer(json), chunked(json, 7), chunked(json, 1), early + http_answer(json),
                                  early + early + chunked(json, 1000)}) {
    CHECK(read({text}) == expected);
    for (std::size_t at = 0; at <= text.size(); ++at) {
      INFO("cut at " << at);
      CHECK(read({std::string_view(text).substr(0, at), std::string_view(text).substr(at)}) == expected);
      if (at == text.size()) continue;
      CHECK_FALSE(read({std::string_view(text).substr(0, at)}).whole);
      CHECK(read({std::string_view(text).substr(0, at)}, true).error == "the node closed before its answer was whole");
    }
    std::vector<std::string_view> bytes;
    for (std::size_t at = 0; at < text.size(); ++at) bytes.push_back(std::string_view(text).substr(at, 1));
    CHECK(read(bytes) == expected);
  }
}

TEST_CASE("an answer without a length ends with the connection") {
  const std::string text = "HTTP/1.1 200 OK\r\n\r\n" + offer_json({"a_b"});
  CHECK_FALSE(read({text}).whole);
  CHECK(read({text}, true).offer == Offer{"a_b"});
}

TEST_CASE("what follows a whole answer is not looked at") {
  CHECK(read({http_answer(offer_json({"a_b"})) + "rubbish"}).offer == Offer{"a_b"});
}

TEST_CASE("an answer that is no 200, or no HTTP, is an error as soon as it is seen") {
  CHECK(read({"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 9\r\n\r\n"}).error ==
        "the node answers with HTTP status 429");
  CHECK(read({"HTTP/1.1 403 Forbidden\r\n\r\n" + offer_json({"a_b"})}).error ==
        "the node answers with HTTP status 403");
  CHECK(read({"HTTP/1.1 101 Switching Protocols\r\n\r\n"}).error == "the node answers with HTTP status 101");
  CHECK(read({"HTTP/1.1 204 No Content\r\n\r\n"}).error == "the node answers with HTTP status 204");
  CHECK(read({"SSH-2.0-OpenSSH_9.2\r\n"}).error.starts_with("the node's answer is no HTTP: "));
  CHECK(read({offer_json({"a_b"})}).error.starts_with("the node's answer is no HTTP: "));
  CHECK(read({"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n"})
            .error.starts_with("the node's answer has a broken body: "));
}

TEST_CASE("an answer may be as long as its bound, and not a byte longer") {
  const std::string head = "HTTP/1.1 200 OK\r\n\r\n";
  std::string text = head + offer_json({"a_b"});
  text.append(reply_bytes_max - text.size(), ' ');
  CHECK(read({text}, true).offer == Offer{"a_b"});
  CHECK(read({text, " "}).error == "the node's answer has more than 1048576 bytes");
  CHECK(read({"HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n"})
            .error.starts_with("the node's answer has a broken body: "));
  // The framing counts, and the heads that go before.
  CHECK(read({chunked(std::string(400'000, ' '), 1)}).error == "the node's answer has more than 1048576 bytes");
  std::string heads;
  while (heads.size() <= reply_bytes_max) heads += "HTTP/1.1 100 Continue\r\n\r\n";
  CHECK(read({heads}).error == "the node's answer has more than 1048576 bytes");
}

}  // namespace
}  // namespace ringwall::upstream
