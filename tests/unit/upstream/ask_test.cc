#include <ringwall/upstream/ask.h>
#include <ringwall/upstream/offer.h>

#include "name_service.h"
#include "test_node.h"
#include "unit/catch.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <future>
#include <string>
#include <thread>

namespace ringwall::upstream {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using test::answer_with;
using test::http_answer;
using test::offer_json;
using test::Talk;
using test::TestNode;

class StopEvent {
 public:
  ~StopEvent() { close(descriptor_); }
  void set() { REQUIRE(eventfd_write(descriptor_, 1) == 0); }
  [[nodiscard]] int get() const { return descriptor_; }

 private:
  int descriptor_ = eventfd(0, EFD_CLOEXEC);
};

// Takes no connection and refuses none: its queue is full.
class FullListener {
 public:
  FullListener(const char* host, std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    REQUIRE(inet_pton(AF_INET, host, &address.sin_addr) == 1);
    for (int& descriptor : sockets_) {
      descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
      const auto* at = reinterpret_cast<const sockaddr*>(&address);
      if (&descriptor != sockets_.data()) {
        (void)connect(descriptor, at, sizeof address);
        continue;
      }
      REQUIRE(bind(descriptor, at, sizeof address) == 0);
      REQUIRE(listen(descriptor, 0) == 0);
    }
  }
  FullListener(const FullListener&) = delete;
  FullListener& operator=(const FullListener&) = delete;
  ~FullListener() {
    for (const int descriptor : sockets_) close(descriptor);
  }

 private:
  std::array<int, 5> sockets_{};
};

struct Asked {
  Result<Offer> offer;
  milliseconds took;
  [[nodiscard]] std::string error() const { return offer ? "none" : offer.error().message; }
};

Asked ask(const std::string& host, std::uint16_t port, std::uint32_t timeout_ms = 5000) {
  Target target("node", host, port, 0);
  (void)target.resolve();
  const StopEvent stop;
  const auto start = Clock::now();
  auto offer = ask_offer(target, stop.get(), timeout_ms);
  return {std::move(offer), std::chrono::duration_cast<milliseconds>(Clock::now() - start)};
}

Asked ask(const TestNode& node, std::uint32_t timeout_ms = 5000) { return ask("127.0.0.1", node.port(), timeout_ms); }

// Of an address of loopback where nobody listens.
std::uint16_t free_port() {
  return TestNode([](Talk&) {}).port();
}

TEST_CASE("a node is asked by one POST with a host that its filter takes") {
  std::promise<std::string> request;
  TestNode node([&](Talk& talk) {
    request.set_value(talk.read_until("}"));
    talk.say(http_answer(offer_json({"system_chain"})));
  });
  const Asked asked = ask(node);
  REQUIRE(asked.offer);
  CHECK(*asked.offer == Offer{"system_chain"});
  CHECK(request.get_future().get() ==
        "POST / HTTP/1.1\r\nHost: localhost:" + std::to_string(node.port()) +
            "\r\nContent-Type: application/json\r\nContent-Length: 47\r\nConnection: close\r\n\r\n"
            R"({"jsonrpc":"2.0","id":1,"method":"rpc_methods"})");
}

TEST_CASE("an answer that comes byte by byte is waited for") {
  TestNode node([](Talk& talk) {
    (void)talk.read_until("}");
    for (const char byte : http_answer(offer_json({"a_b"}))) {
      talk.say({&byte, 1});
      talk.pause_ms(1);
    }
  });
  CHECK(ask(node).offer == Offer{"a_b"});
}

TEST_CASE("who drips, or hangs at any point, has no more than the time for the whole exchange") {
  for (const std::string& start : {std::string(), std::string("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{")}) {
    TestNode node([&](Talk& talk) {
      (void)talk.read_until("}");
      talk.say(start);
      talk.be_silent();
    });
    const Asked asked = ask(node, 200);
    CHECK(asked.error() == "the node does not answer in time");
    CHECK(asked.took >= milliseconds(200));
    CHECK(asked.took < milliseconds(2000));
  }
  TestNode dripping([](Talk& talk) {
    talk.say("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
    while (talk.say(" ")) talk.pause_ms(5);
  });
  const Asked asked = ask(dripping, 300);
  CHECK(asked.error() == "the node does not answer in time");
  CHECK(asked.took < milliseconds(2000));
}

TEST_CASE("a node that never ends its answer is left at the bound") {
  TestNode node([](Talk& talk) {
    talk.say("HTTP/1.1 200 OK\r\n\r\n");
    const std::string spaces(60'000, ' ');
    while (talk.say(spaces)) continue;
  });
  CHECK(ask(node).error() == "the node's answer has more than 1048576 bytes");
}

TEST_CASE("a node at its limit, one that closes and one that is not there are errors") {
  TestNode busy(answer_with("HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n"));
  CHECK(ask(busy).error() == "the node answers with HTTP status 429");
  TestNode closing(answer_with(""));
  CHECK(ask(closing).error() == "the node closed before its answer was whole");
  CHECK(ask("127.0.0.1", free_port()).error() == "the node takes no connection: Connection refused");
  CHECK(ask("not-there.example", 9944).error() == "the node's name is not found");
}

TEST_CASE("an address that takes no connection is passed over for the next") {
  TestNode node(answer_with(http_answer(offer_json({"a_b"}))));
  test::set_name("two-places.example", {.addresses = {"127.0.0.77", "127.0.0.1"}});
  CHECK(ask("two-places.example", node.port()).offer == Offer{"a_b"});
}

TEST_CASE("an address that is silent leaves time for the next") {
  TestNode node(answer_with(http_answer(offer_json({"a_b"}))));
  const FullListener silent("127.0.0.78", node.port());
  test::set_name("silent-place.example", {.addresses = {"127.0.0.78", "127.0.0.1"}});
  const Asked asked = ask("silent-place.example", node.port(), 1000);
  CHECK(asked.offer == Offer{"a_b"});
  CHECK(asked.took >= milliseconds(500));
  CHECK(ask("127.0.0.78", node.port(), 200).error() == "the node does not answer in time");
}

TEST_CASE("a conversation goes on over one connection, or over the next where the node closes it") {
  const std::string answer = http_answer("{}");
  for (const bool keeps : {true, false}) {
    TestNode node([&](Talk& talk) {
      do {
        if (talk.read_until("}").empty()) return;
        talk.say(answer);
      } while (keeps);
    });
    Target target("node", "127.0.0.1", node.port(), 0);
    REQUIRE(target.resolve() == 0);
    const StopEvent stop;
    Conversation conversation(target, stop.get(), 5000);
    unsigned answered = 0;
    for (int turn = 0; turn < 3; ++turn) {
      const auto reply = conversation.ask("{}", Conversation::Turn::more);
      if (reply && reply->status() == 200 && reply->body() == "{}") ++answered;
    }
    CHECK(answered == 3);
    CHECK(node.connections() == (keeps ? 1U : 3U));
  }
}

TEST_CASE("an ask ends at once when it is told to, whatever it waits for") {
  TestNode node([](Talk& talk) { talk.be_silent(); });
  Target target("node", "127.0.0.1", node.port(), 0);
  REQUIRE(target.resolve() == 0);
  StopEvent stop;
  auto asking = std::async(std::launch::async, [&] { return ask_offer(target, stop.get(), 20'000); });
  while (node.connections() == 0) std::this_thread::sleep_for(milliseconds(1));
  const auto told = Clock::now();
  stop.set();
  const auto offer = asking.get();
  CHECK(Clock::now() - told < milliseconds(500));
  REQUIRE_FALSE(offer);
  CHECK(offer.error().message == "stopped");
  CHECK_FALSE(ask_offer(target, stop.get(), 20'000));
}

}  // namespace
}  // namespace ringwall::upstream
