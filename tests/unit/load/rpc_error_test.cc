#include "load/rpc_error.h"

#include <simdjson.h>

#include <algorithm>
#include <string>

#include "load/report.h"
#include "load/target.h"
#include "unit/catch.h"

using namespace ringwall::load;

namespace {

std::string error_of(const std::string& error) { return R"({"jsonrpc":"2.0","id":1,"error":)" + error + "}"; }

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("an error is told by its code and message, wherever they stand", "[rpc_error]") {
  for (const char* message : {
           R"({"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"Method not found"}})",
           R"( { "error" : { "message" : "Method not found" , "data":{"message":"x"}, "code" : -32601 } , "id":1})",
           R"({"result":{"error":1},"a":["}",{"error":2}],"error":{"code":-32601,"message":"Method\u0020not found"}})",
       }) {
    INFO(message);
    CHECK(rpc_error_text(message) == "-32601 Method not found");
  }
}

TEST_CASE("an error that is cut is told by what is there", "[rpc_error]") {
  const std::string whole = error_of(R"({"code":-32000,"message":"a\u0062c","data":"xxx"})");
  const std::size_t code_end = whole.find(",\"message"), text_end = whole.find("\",\"data");
  for (std::size_t bytes = 0; bytes <= whole.size(); ++bytes) {
    const std::string said = rpc_error_text(whole.substr(0, bytes));
    INFO(whole.substr(0, bytes) << " -> " << said);
    if (bytes >= text_end) CHECK(said == "-32000 abc");
    if (bytes >= code_end) CHECK(said.starts_with("-32000"));
    CHECK(said.find('\\') == std::string::npos);
  }
}

TEST_CASE("of an error that is not as it should be the parts that are there are told", "[rpc_error]") {
  CHECK(rpc_error_text(error_of(R"("boo")")) == "boo");
  CHECK(rpc_error_text(error_of("17")) == "17");
  CHECK(rpc_error_text(error_of(R"({"code":1e400,"message":"m"})")) == "1e400 m");
  CHECK(rpc_error_text(error_of(R"({"message":"only"})")) == "only");
  CHECK(rpc_error_text(error_of(R"({"code":5})")) == "5");
  CHECK(rpc_error_text(error_of(R"({"code":5,"message":"a\q\u12"})")) == R"(5 a\q)");
  CHECK(rpc_error_text(error_of(R"({"code":5,"message":"\ud800"})")) == R"(5 \ud800)");
  for (const char* none : {"", " ", "{", "[]", "{}", R"({"error":{}})", R"({"error":""})", R"({"error":"")",
                           R"({"error")", R"({"error":)", "\"error\""}) {
    CHECK(rpc_error_text(none) == "an error");
  }
}

TEST_CASE("what an error says steers nothing and is short", "[rpc_error]") {
  CHECK(rpc_error_text(error_of("{\"code\":-32000,\"message\":\"\x1b[31m</script>\xff raw\"}")) ==
        "-32000 ?[31m</script>? raw");
  CHECK(rpc_error_text(error_of(R"({"code":1,"message":"\u001b]0;x\u0007\u0000\u202e<b>\u009b"})")) ==
        "1 ?]0;x???<b>?");
  const std::string long_one = rpc_error_text(error_of("{\"code\":1,\"message\":\"" + std::string(5000, 'm') + "\"}"));
  CHECK(long_one == "1 " + std::string(120, 'm') + "…");
}

TEST_CASE("a hostile error reaches terminal, JSON and page as text alone", "[rpc_error]") {
  Report report;
  report.asked.plan.target = *parse_url("wss://rpc.example.com");
  report.started_at = utc_now();
  report.machine = this_machine();
  const std::string raw =
      R"({"code":-32001,"message":"\u001b]0;pwn\u0007</script><script>x</script>\"'&\u0000\u202e<b>",)"
      R"("data":"cut)";
  report.outcome.measured_s = 1;
  report.outcome.tally.troubles.note(Trouble::rpc_error, rpc_error_text(R"({"id":1,"error":)" + raw));
  const std::string kept = "rpc_error: -32001 ?]0;pwn?</script><script>x</script>\"'&??<b>";

  const std::string terminal = table(report, 120);
  CHECK(has(terminal, kept));
  CHECK(std::ranges::none_of(terminal,
                             [](char byte) { return byte != '\n' && static_cast<unsigned char>(byte) < 0x20; }));
  simdjson::dom::parser parser;
  simdjson::dom::object texts;
  REQUIRE(parser.parse(json(report))["troubles"]["texts"].get(texts) == simdjson::SUCCESS);
  REQUIRE(texts.size() == 1);
  CHECK((*texts.begin()).key == kept);
  const std::string page = html(report);
  CHECK(!has(page, "pwn?<"));
  CHECK(has(page, R"(pwn?\u003c/script\u003e)"));
}

TEST_CASE("what is kept of others' texts steers nothing", "[rpc_error]") {
  Troubles troubles;
  troubles.note(Trouble::connection_closed, "Close 1000 \x1b[31m\u202e");
  CHECK(troubles.texts.contains("connection_closed: Close 1000 ?[31m?"));
}
