#include <ringwall/upstream/offer_report.h>

#include "unit/catch.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace ringwall::upstream {
namespace {

using rpc::MethodSettings;
using rpc::MethodTable;
using rpc::Policy;
using rpc::Verdict;
using Level = LogLine::Level;

std::vector<std::string> lines(Offer offer, const MethodSettings& settings = {}) {
  std::ranges::sort(offer);
  const auto table = MethodTable::make(settings);
  REQUIRE(table);
  std::vector<std::string> told;
  for (const LogLine& line : report_offer("node", offer, *table, settings)) {
    told.push_back((line.level == Level::warning ? "warning: " : "") + line.text);
  }
  return told;
}

using Lines = std::vector<std::string>;

// The strings in quotes.
std::vector<std::string> quoted(std::string_view text) {
  std::vector<std::string> found;
  for (std::size_t at = text.find('"'); at != std::string_view::npos; at = text.find('"', at)) {
    const std::size_t end = text.find('"', at + 1);
    found.emplace_back(text.substr(at + 1, end - at - 1));
    at = end + 1;
  }
  return found;
}

TEST_CASE("nothing is told of a node that offers what is allowed") {
  CHECK(lines({"system_chain", "state_getStorage", "state_subscribeStorage", "rpc_methods"}).empty());
  CHECK(lines({"system_chain"}, {.policy = Policy::open}).empty());
  CHECK(lines({"system_chain"}, {.policy = Policy::all}).empty());
}

TEST_CASE("what is unknown is told by prefix with the line that allows it, the largest first") {
  CHECK(
      lines({"net_version", "net_listening", "eth_call", "eth_chainId", "eth_gasPrice", "frontier_one", "discover",
             "system_chain"}) ==
      Lines{"upstream node: it offers 7 methods that are not allowed here (eth_*: 3, net_*: 2, discover, frontier_one);"
            " to allow them: methods.allow = [\"eth_*\", \"net_*\", \"discover\", \"frontier_one\"]"});
  CHECK(lines({"discover"}) == Lines{"upstream node: it offers 1 method that is not allowed here (discover); to allow "
                                     "them: methods.allow = [\"discover\"]"});
}

TEST_CASE("a prefix that a known unsafe method has is never suggested, offered or not") {
  CHECK(
      lines({"author_new", "author_newer", "state_a", "state_b"}) ==
      Lines{"upstream node: it offers 4 methods that are not allowed here (author_new, author_newer, state_a, state_b);"
            " to allow them: methods.allow = [\"author_new\", \"author_newer\", \"state_a\", \"state_b\"]"});
  Offer offer{"x_one", "x_two", "plain", "_one", "_two"};
  for (const rpc::Method& known : rpc::known_methods()) {
    const std::string prefix(known.name.substr(0, known.name.find('_') + 1));
    offer.push_back(std::string(known.name));
    offer.push_back(prefix + "unheardOf");
    offer.push_back(prefix + "unheardOfEither");
  }
  MethodSettings allowing;
  for (int round = 0;; ++round) {
    REQUIRE(round < 200);
    std::ranges::sort(offer);
    offer.erase(std::ranges::unique(offer).begin(), offer.end());
    const auto table = MethodTable::make(allowing);
    REQUIRE(table);
    const auto line = report_unlisted("node", offer, *table, allowing);
    if (!line) break;
    const std::vector<std::string> patterns = quoted(line->text);
    REQUIRE_FALSE(patterns.empty());
    allowing.allow.insert(allowing.allow.end(), patterns.begin(), patterns.end());
  }
  // All of the advice taken, everything unknown passes and nothing unsafe.
  const auto before = MethodTable::make({});
  const auto after = MethodTable::make(allowing);
  REQUIRE(after);
  for (const std::string& name : offer) {
    INFO(name);
    CHECK(after->verdict_on(name) ==
          (before->verdict_on(name) == Verdict::unsafe_ ? Verdict::unsafe_ : Verdict::allowed));
  }
  const rpc::Call no_keys{.form = rpc::Call::Form::call, .method = "state_subscribeStorage", .id = "1", .params = "[]"};
  CHECK(after->decide(no_keys).verdict == Verdict::unsafe_);
}

TEST_CASE("what is allowed already is neither told nor replaced") {
  CHECK(lines({"eth_call", "eth_chainId", "net_a", "net_b"}, {.allow = {"eth_*"}}) ==
        Lines{"upstream node: it offers 2 methods that are not allowed here (net_*: 2); to allow them, add to "
              "methods.allow: \"net_*\""});
}

TEST_CASE("what the operator denies is not suggested to be allowed") {
  CHECK(lines({"eth_call", "eth_chainId"}, {.deny = {"eth_*"}}).empty());
  CHECK(lines({"system_chain", "eth_sign"}, {.deny = {"system_chain", "eth_sign"}}).empty());
  CHECK(lines({"eth_call", "eth_chainId", "eth_sign"}, {.deny = {"eth_sign"}}) ==
        Lines{"upstream node: it offers 2 methods that are not allowed here (eth_*: 2); to allow them: methods.allow = "
              "[\"eth_*\"]"});
}

TEST_CASE("names in a line are bounded, and a line that allows some says how many") {
  Offer offer;
  for (int index = 0; index < 500; ++index) {
    offer.push_back("family" + std::to_string(1000 + index) + "_a");
    offer.push_back("family" + std::to_string(1000 + index) + "_b");
  }
  const Lines told = lines(offer);
  REQUIRE(told.size() == 1);
  CHECK(told[0].size() < 2 * listed_bytes_max + 200);
  CHECK(told[0].starts_with("upstream node: it offers 1000 methods that are not allowed here (family1000_*: 2, "));
  const std::size_t patterns = quoted(told[0]).size();
  CHECK(patterns > 10);
  CHECK(told[0].find("to allow " + std::to_string(2 * patterns) + " of them: methods.allow = [") != std::string::npos);
  CHECK(told[0].find(" more);") != std::string::npos);
  CHECK(told[0].ends_with("\"]"));
}

TEST_CASE("a name of any length is told whole") {
  const std::string longest(offered_name_bytes_max, 'a');
  const Lines told = lines({longest});
  CHECK(quoted(told.at(0)) == Lines{longest});
}

TEST_CASE("known unsafe methods are counted, and said to be withheld") {
  CHECK(lines({"author_rotateKeys", "system_addReservedPeer", "state_getStorageSize", "system_chain"}) ==
        Lines{"upstream node: it offers 3 unsafe methods; they are withheld here"});
  CHECK(lines({"author_rotateKeys"}) == Lines{"upstream node: it offers 1 unsafe method; it is withheld here"});
  CHECK(lines({"author_rotateKeys"}, {.policy = Policy::open, .deny = {"author_*"}}) ==
        Lines{"upstream node: it offers 1 unsafe method; it is withheld here"});
}

TEST_CASE("under open what is unknown is told, and unsafe methods are withheld") {
  CHECK(lines({"author_rotateKeys", "eth_call", "eth_chainId", "eth_sign", "debug_trace"},
              {.policy = Policy::open, .deny = {"eth_sign"}}) ==
        Lines{"upstream node: it offers 3 unknown methods, which are open to everyone (eth_*: 2, debug_trace)",
              "upstream node: it offers 1 unsafe method; it is withheld here"});
}

TEST_CASE("unsafe methods that everyone may call are a warning, by the policy as by name") {
  CHECK(lines({"author_rotateKeys", "author_insertKey", "eth_call"},
              {.policy = Policy::all, .deny = {"author_insertKey"}}) ==
        Lines{"upstream node: it offers 1 unknown method, which is open to everyone (eth_call)",
              "upstream node: it offers 1 unsafe method; it is withheld here",
              "warning: upstream node: it offers 1 unsafe method, and it is open to everyone (author_rotateKeys)"});
  CHECK(lines({"author_rotateKeys", "author_insertKey"}, {.allow = {"author_*"}}) ==
        Lines{"warning: upstream node: it offers 2 unsafe methods, and they are open to everyone (author_insertKey, "
              "author_rotateKeys)"});
}

}  // namespace
}  // namespace ringwall::upstream
