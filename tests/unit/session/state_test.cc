// The two tables that say how a session may go, and what its end is called.
#include <ringwall/session/end_reason.h>
#include <ringwall/session/state.h>

#include "unit/catch.h"
#include "unit/ring/death.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <string_view>

namespace ringwall::session {
namespace {

constexpr std::size_t states = static_cast<std::size_t>(State::ending) + 1;

// A row for each state that is left, a column for each that is entered, both in the order of the enum.
constexpr std::array<std::string_view, states> table = {
    //  proxy_header, handshake, head, body, connecting, awaiting, responding, relay, closing, tunnel, ending
    ".x........x",  // proxy_header
    "..x.......x",  // handshake
    "...xx.....x",  // head
    "..x.xx....x",  // body: answered here, or on to the node
    "....xx....x",  // connecting: the node's next address
    "....x.xx.xx",  // awaiting: again, when a used connection was closed
    "..x.......x",  // responding
    "........x.x",  // relay
    "..........x",  // closing
    "..........x",  // tunnel
    "...........",  // ending
};

TEST_CASE("a session may go where the table says and nowhere else") {
  for (std::size_t from = 0; from < states; ++from) {
    for (std::size_t to = 0; to < states; ++to) {
      INFO("from " << from << " to " << to);
      CHECK(may_follow(static_cast<State>(from), static_cast<State>(to)) == (table[from][to] == 'x'));
    }
  }
}

TEST_CASE("relay and tunnel begin only where a node's answer was awaited, and end only one way") {
  for (std::size_t state = 0; state < states; ++state) {
    const auto other = static_cast<State>(state);
    CHECK(may_follow(other, State::relay) == (other == State::awaiting));
    CHECK(may_follow(other, State::tunnel) == (other == State::awaiting));
    CHECK(may_follow(State::tunnel, other) == (other == State::ending));
    CHECK_FALSE(may_follow(State::ending, other));
  }
}

TEST_CASE("each end has a stable word of its own") {
  std::set<std::string_view> words;
  for (std::size_t reason = 0; reason < end_reasons; ++reason) {
    const std::string_view word = name(static_cast<EndReason>(reason));
    CHECK_FALSE(word.empty());
    CHECK(std::ranges::all_of(word, [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; }));
    CHECK(words.insert(word).second);
  }
  CHECK(name(EndReason::none) == "none");
  CHECK(name(EndReason::client_slow) == "client_slow");
  CHECK(name(EndReason::tls_failed) == "tls_failed");
  CHECK(name(EndReason::node_closed) == "node_closed");
  CHECK(name(EndReason::node_unreachable) == "node_unreachable");
  CHECK(name(EndReason::memory_bound) == "memory_bound");
  CHECK(name(EndReason::proxy_header) == "proxy_header");
  CHECK(name(EndReason::stopping) == "stopping");
}

TEST_CASE("each state has a word of its own") {
  std::set<std::string_view> words;
  for (std::size_t state = 0; state < states; ++state) CHECK(words.insert(name(static_cast<State>(state))).second);
  CHECK(name(State::proxy_header) == "proxy_header");
  CHECK(name(State::awaiting) == "awaiting");
  CHECK(name(State::ending) == "ending");
}

TEST_CASE("who ended a session is who acted") {
  CHECK(ended_by(EndReason::client_reset) == "client");
  CHECK(ended_by(EndReason::node_closed) == "node");
  CHECK(ended_by(EndReason::client_slow) == "ringwall");
  CHECK(ended_by(EndReason::node_unreachable) == "ringwall");
  CHECK(ended_by(EndReason::stopping) == "ringwall");
}

TEST_CASE("a number that is no end has no word") {
  CHECK(aborts([] { (void)name(static_cast<EndReason>(end_reasons)); }));
}

}  // namespace
}  // namespace ringwall::session
