// A node without a server, and what it says to one client.
#pragma once

#include <string>
#include <vector>

#include "devnode/answer.h"
#include "devnode/node.h"
#include "devnode/subscriptions.h"

namespace ringwall::devnode {

class Told final : public Sink {
 public:
  void send(Reply message) override { messages.push_back(message.text()); }
  bool has_room() override { return messages.size() < room; }

  std::vector<std::string> messages;
  std::size_t room = SIZE_MAX;  // messages
};

struct Fixture {
  explicit Fixture(Options options_in = {}, std::string_view metadata = {})
      : options(std::move(options_in)), node(options, Runtime::create(metadata, "").value(), timers) {}

  // What a WebSocket's client gets to a message.
  std::string ask(std::string_view message) {
    Reply reply;
    answer_message(node, &subscriptions, message, reply);
    return reply.text();
  }

  // The result or error of one call.
  std::string call(std::string_view method, std::string_view params = "[]") {
    const std::string answer = ask(std::string(R"({"jsonrpc":"2.0","id":1,"method":")") + std::string(method) +
                                   R"(","params":)" + std::string(params) + "}");
    const std::string_view start = R"({"jsonrpc":"2.0","id":1,)";
    return answer.starts_with(start) ? answer.substr(start.size(), answer.size() - start.size() - 1) : answer;
  }

  // What a client gets over POST.
  std::string post(std::string_view message) {
    Reply reply;
    answer_message(node, nullptr, message, reply);
    return reply.text();
  }

  // Subscribes, and returns the id.
  std::string subscribe(std::string_view method, std::string_view params = "[]") {
    const std::string result = call(method, params);
    subscriptions.announce_new();
    return result.substr(result.find(':') + 2, 16);
  }

  void advance() {
    const auto finalized = node.chain.finalized();
    node.chain.advance();
    BlockNews news{node.chain.header(node.chain.best())->to_json(), {}};
    if (node.chain.finalized() != finalized) news.finalized_header = "\"finalized\"";
    subscriptions.on_block(news);
  }

  Options options;
  ring::TimerWheel timers{monotonic_ns()};
  Told told{};
  Node node;
  Subscriptions subscriptions{node, told};
};

}  // namespace ringwall::devnode
