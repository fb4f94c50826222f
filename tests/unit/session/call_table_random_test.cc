// A node that knows the truth, clients from honest to devious, and a naive model of the rules.
#include <ringwall/session/call_table.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "unit/catch.h"
#include "unit/session/calls.h"

namespace ringwall::session {
namespace {

using Ended = CallTable::Ended;

enum class Kind { call, subscribe, unsubscribe };

struct Method {
  const char* name;
  Kind kind;
  char family;
};

constexpr Method methods[] = {
    {"system_health", Kind::call, '-'},
    {"author_hasKey", Kind::call, '-'},
    {"chain_subscribeNewHeads", Kind::subscribe, 'h'},
    {"chain_subscribeNewHead", Kind::subscribe, 'h'},
    {"author_submitAndWatchExtrinsic", Kind::subscribe, 'x'},
    {"chain_unsubscribeNewHeads", Kind::unsubscribe, 'h'},
    {"chain_unsubscribeNewHead", Kind::unsubscribe, 'h'},
    {"author_unwatchExtrinsic", Kind::unsubscribe, 'x'},
};

using Live = std::pair<std::string, char>;  // the raw id, and the family of its method

struct Sent {
  std::string id;  // as the node writes it
  Method method;
  std::string subscription;  // that an unsubscribe names
  bool node_refuses;         // its params
};

// What the header promises, in words and maps.
class Model {
 public:
  void send(const std::string& id, const Sent& sent) {
    const bool is_new = !by_id_.contains(id);
    if (id.contains('\\') || (is_new && by_id_.size() == CallTable::ids_max)) {
      ++untracked;
      return;
    }
    auto& [calls, unclear] = by_id_[id];
    unclear |= !calls.empty() || id == "null";
    calls.push_back(sent);
  }

  Ended end_batch() {
    if (batches.empty()) return {};
    const unsigned calls = *batches.begin();
    batches.erase(batches.begin());
    return {.calls = calls, .subscriptions = 0};
  }

  Ended hear(const std::string& id, const std::string& value) {
    const bool is_error = value == "error";
    const auto found = by_id_.find(id);
    if (found == by_id_.end()) {
      if (id == "null" && !is_error) return {};
      if (id == "null" && untracked == 0) return end_batch();
      is_misled_ = is_misled_ || id == "null";
      if (untracked == 0) return {};
      --untracked;
      return {.calls = 1, .subscriptions = 0};
    }
    auto& [calls, unclear] = found->second;
    const Sent sent = calls.back();
    const bool is_clear = !unclear && untracked == 0 && !is_misled_;
    calls.pop_back();
    if (calls.empty()) by_id_.erase(found);
    Ended ended = {.calls = 1, .subscriptions = 0};
    if (!is_clear) return ended;
    if (sent.method.kind == Kind::subscribe && is_error) ended.subscriptions = 1;
    if (sent.method.kind == Kind::subscribe && value[0] == '"') live.insert({value, sent.method.family});
    if (sent.method.kind == Kind::unsubscribe && value == "true") {
      ended.subscriptions = static_cast<unsigned>(live.erase({sent.subscription, sent.method.family}));
    }
    return ended;
  }

  Ended last(const std::string& subscription) {
    const auto found = std::ranges::find(live, subscription, &Live::first);
    if (found == live.end()) return {};
    live.erase(found);
    return {.calls = 0, .subscriptions = 1};
  }

  std::multiset<unsigned> batches;
  std::set<Live> live;
  unsigned untracked = 0;

 private:
  std::map<std::string, std::pair<std::vector<Sent>, bool>> by_id_;
  bool is_misled_ = false;
};

struct Habits {
  bool reuses_ids = false;  // and writes some with escapes, or null
  bool sends_batches = false;
  bool is_misread = false;  // some answers are not understood
  std::size_t slow_calls = 0;
};

class World {
 public:
  World(unsigned seed, const Habits& habits) : random_(seed), habits_(habits) {
    for (std::size_t i = 0; i < habits.slow_calls; ++i) {
      send("9" + std::to_string(100'000 + i), {"", methods[0], "", false});
      slow_.push_back(in_flight_.back());
      in_flight_.pop_back();
    }
  }

  void step() {
    const unsigned what = pick(20);
    if (what < 8) {
      send_any();
    } else if (what < 15 && !in_flight_.empty()) {
      answer_any();
    } else if (what < 16 && !live_.empty()) {
      end_any();
    } else if (what < 17) {
      hear(calls_.last(R"("never")"), model_.last(R"("never")"));
    } else if (habits_.sends_batches && what < 18) {
      const unsigned calls = 1 + pick(9), subscribes = pick(calls + 1);
      calls_.table.add_batch(calls, subscribes);
      model_.batches.insert(calls);
      batches_.emplace_back(calls, subscribes);
    } else if (!batches_.empty()) {
      answer_batch();
    } else if (!slow_.empty()) {
      in_flight_.push_back(slow_.back());
      slow_.pop_back();
    }
    check();
  }

  void answer_all() {
    while (!in_flight_.empty()) {
      answer_any();
      check();
    }
  }

  unsigned ended_subscriptions() const { return ended_subscriptions_; }
  const CallTable& table() const { return calls_.table; }

 private:
  unsigned pick(std::size_t below) { return static_cast<unsigned>(random_() / 7 % below); }

  std::string make_id() {
    const char* const ids[] = {"1", "2", "3", R"("1")", R"("a")", R"("\u0061")", "null"};
    return habits_.reuses_ids && pick(4) != 0 ? ids[pick(std::size(ids))] : std::to_string(1'000 + next_id_++);
  }

  void send(const std::string& id, Sent sent) {
    std::string params = sent.subscription.empty() ? "[]" : "[" + sent.subscription + "]";
    if (sent.node_refuses) params.insert(params.size() - 1, ",1");
    calls_.send(id, sent.method.name, params);
    model_.send(id, sent);
    sent.id = id == R"("\u0061")" ? R"("a")" : id;
    in_flight_.push_back(std::move(sent));
  }

  void send_any() {
    Sent sent = {.id = {}, .method = methods[pick(std::size(methods))], .subscription = {}, .node_refuses = false};
    if (sent.method.kind == Kind::unsubscribe) {
      sent.subscription = live_.empty() || pick(4) == 0 ? R"("bogus")" : live_[pick(live_.size())].first;
      sent.node_refuses = pick(4) == 0;
    }
    send(make_id(), sent);
  }

  // What a call returns the client may choose, to the subscription ids that it knows.
  std::string value_of_call() {
    const char* const values[] = {"error", "true", "false", "{}", R"("bogus")", "null"};
    const unsigned value = pick(std::size(values) + 1);
    if (value < std::size(values)) return values[value];
    return live_.empty() ? "{}" : live_[pick(live_.size())].first;
  }

  std::string value_of(const Sent& sent) {
    if (sent.method.kind == Kind::call) return value_of_call();
    if (sent.method.kind == Kind::subscribe) {
      if (pick(3) == 0) return "error";
      live_.emplace_back("\"S" + std::to_string(next_subscription_++) + '"', sent.method.family);
      return live_.back().first;
    }
    if (sent.node_refuses) return "error";
    return std::erase(live_, Live{sent.subscription, sent.method.family}) != 0 ? "true" : "false";
  }

  void answer_any() {
    const unsigned which = pick(in_flight_.size());
    const Sent sent = in_flight_[which];
    in_flight_.erase(in_flight_.begin() + which);
    const std::string value = value_of(sent);
    if (habits_.is_misread && pick(10) == 0) return hear(calls_.hear(R"({"result":1,"result":2})"), {});
    hear(value == "error" ? calls_.error(sent.id) : calls_.result(sent.id, value), model_.hear(sent.id, value));
  }

  void answer_batch() {
    const unsigned which = pick(batches_.size());
    const bool fails = pick(3) == 0;
    if (!fails) subscribed_in_batches_ += batches_[which].second;
    batches_.erase(batches_.begin() + which);
    if (fails) {
      hear(calls_.error("null"), model_.hear("null", "error"));
    } else {
      hear(calls_.hear("[{}]"), model_.end_batch());
    }
  }

  void end_any() {
    const std::string id = live_[pick(live_.size())].first;
    std::erase_if(live_, [&](const Live& live) { return live.first == id; });
    hear(calls_.last(id), model_.last(id));
  }

  void hear(const Ended& ended, const Ended& expected) {
    REQUIRE(ended == expected);
    ended_subscriptions_ += ended.subscriptions;
  }

  void check() {
    std::size_t calls = in_flight_.size() + slow_.size();
    std::size_t subscriptions = live_.size() + subscribed_in_batches_;
    for (const Sent& sent : in_flight_) subscriptions += sent.method.kind == Kind::subscribe ? 1 : 0;
    for (const auto& [all, subscribes] : batches_) calls += all, subscriptions += subscribes;
    REQUIRE(calls_.table.untracked() == model_.untracked);
    REQUIRE(calls_.table.bytes_held() <= CallTable::bytes_held_max());
    REQUIRE(calls_.table.calls() >= calls);
    REQUIRE(calls_.table.subscriptions() >= subscriptions);
    if (habits_.reuses_ids || habits_.sends_batches || habits_.is_misread || habits_.slow_calls > 0) return;
    REQUIRE(calls_.table.calls() == calls);
    REQUIRE(calls_.table.subscriptions() == subscriptions);
  }

  std::minstd_rand random_;
  Habits habits_;
  Calls calls_;
  Model model_;
  // The node's own:
  std::vector<Sent> in_flight_;
  std::vector<Sent> slow_;
  std::vector<std::pair<unsigned, unsigned>> batches_;  // calls, of which subscribe
  std::vector<Live> live_;
  unsigned subscribed_in_batches_ = 0;
  unsigned next_id_ = 0;
  unsigned next_subscription_ = 0;
  unsigned ended_subscriptions_ = 0;
};

TEST_CASE("of a client that uses each id once, exactly what the node has is known") {
  unsigned ended = 0;
  for (unsigned seed = 1; seed <= 100; ++seed) {
    INFO("seed " << seed);
    World world(seed, {});
    for (int i = 0; i < 500; ++i) world.step();
    world.answer_all();
    REQUIRE(world.table().calls() == 0);
    ended += world.ended_subscriptions();
  }
  CHECK(ended > 3000);
}

TEST_CASE("of a client that reuses ids, no less than what the node has is counted, whatever the order") {
  unsigned ended = 0;
  for (unsigned seed = 1; seed <= 400; ++seed) {
    INFO("seed " << seed);
    World world(seed, {.reuses_ids = true, .sends_batches = seed % 2 == 0, .is_misread = seed % 4 >= 2});
    for (int i = 0; i < 500; ++i) world.step();
    world.answer_all();
    ended += world.ended_subscriptions();
  }
  CHECK(ended > 1000);
}

TEST_CASE("of a client with more calls in flight than are tracked, no less than what the node has is counted") {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    INFO("seed " << seed);
    World world(seed, {.reuses_ids = true, .sends_batches = seed % 2 == 0, .slow_calls = CallTable::ids_max - 10});
    for (int i = 0; i < 2000; ++i) world.step();
    world.answer_all();
  }
}

}  // namespace
}  // namespace ringwall::session
