#include <ringwall/rpc/answer.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "unit/catch.h"

namespace {

using namespace ringwall::rpc;
using Kind = Answer::Kind;

using Texts = std::vector<std::string>;

const std::string large(100'000, 'a');

// A message cut as a session cuts it.
struct Cut {
  explicit Cut(std::string whole, std::size_t head_bytes = answer_head_bytes_max,
               std::size_t tail_bytes = answer_tail_bytes_max)
      : text(std::move(whole)) {
    const std::string_view all = text;
    const bool is_cut = text.size() > head_bytes;
    answer = classify_answer(all.substr(0, head_bytes),
                             is_cut ? all.substr(text.size() - std::min(tail_bytes, text.size())) : std::string_view());
  }

  std::string text;
  Answer answer;
};

bool is_unknown(const std::string& text) { return Cut(text).answer.kind == Kind::unknown; }

std::string notification(const std::string& method, const std::string& item) {
  return R"({"jsonrpc":"2.0","method":")" + method + R"(","params":{"subscription":"s","result":)" + item + "}}";
}

bool ends(const std::string& method, const std::string& item) {
  const Cut cut(notification(method, item));
  CHECK(cut.answer.kind == Kind::notification);
  return ends_subscription(cut.answer);
}

}  // namespace

TEST_CASE("a response is told with its id and a short result, wherever the id stands") {
  for (const std::string value : {R"("AbC")", "7", "true", "null", "-1.5", R"("\"}")"}) {
    for (const std::string id : {"1", "null", R"("a")", R"("a\"b\\")", "18446744073709551615"}) {
      for (const std::string& text :
           {R"({"jsonrpc":"2.0","id":)" + id + R"(,"result":)" + value + "}",
            R"({"jsonrpc":"2.0","result":)" + value + R"(,"id":)" + id + "}",
            R"( { "result" : )" + value + R"( , "jsonrpc" : "2.0", "id" : )" + id + " } \n"}) {
        INFO(text);
        const Cut cut(text);
        CHECK(cut.answer.kind == Kind::result);
        CHECK(cut.answer.id == id);
        CHECK(cut.answer.value == value);
      }
    }
  }
}

TEST_CASE("a result that is long, a list or an object is not told") {
  CHECK(Cut(R"({"id":1,"result":")" + std::string(127, 'a') + "\"}").answer.value.empty());
  CHECK(!Cut(R"({"id":1,"result":")" + std::string(126, 'a') + "\"}").answer.value.empty());
  for (const std::string value : {"[]", "{}", R"({"id":2,"error":3})", R"(["]"])"}) {
    const Cut cut(R"({"id":1,"result":)" + value + "}");
    CHECK(cut.answer.kind == Kind::result);
    CHECK(cut.answer.id == "1");
    CHECK(cut.answer.value.empty());
  }
}

TEST_CASE("an error is told with its id") {
  const Cut cut(R"({"jsonrpc":"2.0","error":{"code":-32601,"message":"Method not found"},"id":3})");
  CHECK(cut.answer.kind == Kind::error);
  CHECK(cut.answer.id == "3");
  CHECK(Cut(R"({"jsonrpc":"2.0","id":3,"error":{"data":")" + large + "\"}}").answer.kind == Kind::error);
}

TEST_CASE("of a large result the id is found before or behind it") {
  for (const std::string& value :
       {'"' + large + '"', "[\"" + large + "\"]", R"({"a":{"b":")" + large + R"(","id":9}})"}) {
    const Cut before(R"({"jsonrpc":"2.0","id":"x","result":)" + value + "}");
    CHECK(before.answer.kind == Kind::result);
    CHECK(before.answer.id == "\"x\"");
    for (const std::string id : Texts{"12", "null", R"("x")", R"("\",\"id\":1")", '"' + std::string(126, 'i') + '"'}) {
      const Cut behind(R"({"jsonrpc":"2.0","result":)" + value + R"( , "id" : )" + id + " }\n");
      CHECK(behind.answer.kind == Kind::result);
      CHECK(behind.answer.id == id);
      CHECK(behind.answer.value.empty());
    }
  }
}

TEST_CASE("what only looks like the message's id is none") {
  CHECK(is_unknown(R"({"result":{"a":")" + large + R"(","id":1}})"));
  CHECK(is_unknown(R"({"result":[")" + large + R"(",{"id":1}]})"));
  CHECK(is_unknown(R"({"result":")" + large + R"(\",\"id\":1"})"));
  CHECK(is_unknown(R"({"result":")" + large + R"(","x\"id":1})"));
  CHECK(is_unknown(R"({"result":")" + large + R"(","idd":1})"));
  CHECK(is_unknown(R"({"result":")" + large + R"(","id":[1]})"));
  CHECK(is_unknown(R"({"result":")" + large + R"(","id":-1})"));
  CHECK(is_unknown(R"({"result":")" + large + R"(","id":")" + std::string(127, 'i') + "\"}"));
  CHECK(is_unknown(R"({"result":")" + large + R"(","id":1)"));
}

TEST_CASE("wherever a message is cut, its kind and id are the same or nothing is told") {
  for (const std::string text : {R"({"jsonrpc":"2.0","id":471,"result":{"a":["x,}\"",{"id":3}],"b":-1.5}})",
                                 R"({"jsonrpc":"2.0","result":{"a":["x,}\"",{"id":3}],"b":-1.5},"id":471})",
                                 R"({"jsonrpc":"2.0","result":"id\":3,","id":471})"}) {
    for (std::size_t head = 0; head <= text.size(); ++head) {
      for (std::size_t tail = 1; tail <= text.size(); ++tail) {
        const Cut cut(text, head, tail);
        if (cut.answer.kind == Kind::unknown) continue;
        CHECK(cut.answer.kind == Kind::result);
        CHECK(cut.answer.id == "471");
      }
    }
  }
}

TEST_CASE("a notification is told with its method, its subscription and the start of its item") {
  const Cut cut(notification("chain_newHead", R"({"number":"0x1"})"));
  CHECK(cut.answer.kind == Kind::notification);
  CHECK(cut.answer.method == "chain_newHead");
  CHECK(cut.answer.subscription == "\"s\"");
  CHECK(cut.answer.item == R"({"number":"0x1"})");
  const Cut long_one(notification("state_storage", '"' + large + '"'));
  CHECK(long_one.answer.kind == Kind::notification);
  CHECK(long_one.answer.subscription == "\"s\"");
  CHECK(long_one.answer.item.size() < answer_head_bytes_max);
  CHECK(Cut(R"({"method":"m","params":{"result":1,"subscription":77}})").answer.subscription == "77");
}

TEST_CASE("a batch is told, and not looked into") {
  CHECK(Cut(R"([{"jsonrpc":"2.0","id":1,"result":1}])").answer.kind == Kind::batch);
  CHECK(Cut(" [").answer.kind == Kind::batch);
}

TEST_CASE("what a node does not write is unknown") {
  for (const std::string text : {"",
                                 " ",
                                 "1",
                                 "null",
                                 "\"text\"",
                                 "{}",
                                 "{",
                                 "}",
                                 "{\"",
                                 "{\"id",
                                 "{\"id\"",
                                 "{\"id\":",
                                 R"({"id":1})",
                                 R"({"result":1})",
                                 R"({"id":1,"result":1,"error":2})",
                                 R"({"id":1,"id":1,"result":1})",
                                 R"({"id":1,"result":1)",
                                 R"({"id":1,"result":1}})",
                                 R"({"id":1,"result":1} x)",
                                 R"({"id":1,"result":1)",
                                 R"({"id":1,"result":1,"result":1})",
                                 R"({"id":[],"result":1})",
                                 R"({"id":-1,"result":1})",
                                 R"({"method":"m"})",
                                 R"({"id":1,"method":"m","params":[]})",
                                 R"({"id":1 "result":1})",
                                 R"({"id" 1,"result":1})",
                                 R"({"\u0069d":1,"result":1})",
                                 "{\"id\":1,\"result\":\"\\"}) {
    INFO(text);
    CHECK(is_unknown(text));
  }
}

TEST_CASE("nothing is read beyond what was given, whatever it is") {
  const std::string alphabet = "{}[]\":,\\id1n \"result\"";
  std::uint32_t state = 1;
  for (int round = 0; round < 20'000; ++round) {
    std::string text = round % 2 == 0 ? "{\"id\":1,\"result\":" : "{\"method\":\"m\",\"params\":{";
    for (int i = 0; i < 24; ++i) text += alphabet[(state = state * 1664525 + 1013904223) / 65536 % alphabet.size()];
    const std::unique_ptr<char[]> block(new char[text.size()]);
    std::memcpy(block.get(), text.data(), text.size());
    const std::string_view given(block.get(), text.size());
    static_cast<void>(ends_subscription(classify_answer(given, {})));
    static_cast<void>(ends_subscription(classify_answer(given.substr(0, round % 40), given.substr(round % 40 / 2))));
  }
}

TEST_CASE("the last notification of a subscription is known") {
  for (const auto* state : {R"("invalid")", R"("dropped")", R"({"finalized":"0x00"})", R"({"usurped":"0x00"})",
                            R"({"finalityTimeout":"0x00"})"}) {
    CHECK(ends("author_extrinsicUpdate", state));
    CHECK(!ends("chain_newHead", state));
  }
  for (const auto* state :
       {R"("ready")", R"("future")", R"({"broadcast":["finalized"]})", R"({"inBlock":"0x00"})", "[]", "7"}) {
    CHECK(!ends("author_extrinsicUpdate", state));
  }
  CHECK(ends("transactionWatch_v1_watchEvent", R"({"event":"finalized","block":{"hash":"0x00"}})"));
  CHECK(!ends("transactionWatch_v1_watchEvent", R"({"event":"validated"})"));
  CHECK(ends("chainHead_v1_followEvent", R"({"event":"stop"})"));
  CHECK(!ends("chainHead_v1_followEvent", R"({"event":"initialized","finalizedBlockHashes":[]})"));
  CHECK(ends("archive_v1_storageEvent", R"({"event":"storageDone"})"));
  CHECK(!ends("archive_v1_storageEvent", R"({"event":"storage","key":"0x00"})"));
  const Cut error(R"({"jsonrpc":"2.0","method":"state_storage","params":{"subscription":"s","error":"closed"}})");
  CHECK(ends_subscription(error.answer));
  CHECK(!ends_subscription(Cut(R"({"id":1,"result":"dropped"})").answer));
}

TEST_CASE("usual members of an answer are read the same in any spelling, and its beginning alone is no answer") {
  for (const std::string version : {R"("jsonrpc":"2.0")", R"("jsonrpc" : "2.0")", R"("jsonrpc":"2.0" )"}) {
    for (const std::string id : {R"("id":7)", R"("id" : 7)"}) {
      for (const std::string result : {R"("result":"s")", R"("result" : "s")"}) {
        for (const std::string& text :
             {"{" + version + "," + id + "," + result + "}", "{" + version + " , " + result + " , " + id + "}",
              "{" + id + "," + version + "," + result + "}"}) {
          INFO(text);
          const Cut cut(text);
          CHECK(cut.answer.kind == Kind::result);
          CHECK(cut.answer.id == "7");
          CHECK(cut.answer.value == "\"s\"");
          for (std::size_t bytes = 0; bytes < text.size(); ++bytes) CHECK(is_unknown(text.substr(0, bytes)));
        }
      }
    }
  }
  CHECK(is_unknown(R"({"jsonrpc":"2.0""id":7,"result":1})"));
  CHECK(is_unknown(R"({"jsonrpc":"2.0","id":7,"id":7,"result":1})"));
}
