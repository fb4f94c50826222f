// test_node.h: a node on loopback that says to each connection what a test wants said.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace ringwall::upstream::test {

// A connection as the node has it; the test's talk is called with one after the other, each closed at its end.
class Talk {
 public:
  Talk(int socket, const std::atomic<bool>& stopping) : socket_(socket), stopping_(stopping) {}
  // What the client sent until `end` came, or until it closed.
  std::string read_until(std::string_view end);
  // False when the client has gone.
  bool say(std::string_view bytes);
  void pause_ms(unsigned ms);
  // Until the client closes.
  void be_silent();
  [[nodiscard]] bool is_stopping() const { return stopping_; }

 private:
  int socket_;
  const std::atomic<bool>& stopping_;
};

class TestNode {
 public:
  using Script = std::function<void(Talk&)>;
  explicit TestNode(Script script);
  TestNode(const TestNode&) = delete;
  TestNode& operator=(const TestNode&) = delete;
  ~TestNode();
  void set_script(Script script);
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] unsigned connections() const { return connections_; }

 private:
  void run();
  Script script();

  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_ = false;
  std::atomic<unsigned> connections_ = 0;
  std::mutex mutex_;
  Script script_;
  std::thread thread_;
};

// Whether it comes true within 20 s.
[[nodiscard]] bool comes(const std::function<bool()>& is_there);

// Takes the question, says `answer`, and closes.
[[nodiscard]] TestNode::Script answer_with(std::string answer);
// A 200 with a Content-Length.
[[nodiscard]] std::string http_answer(std::string_view body);
// The JSON of an answer that names these.
[[nodiscard]] std::string offer_json(const std::vector<std::string>& names);

}  // namespace ringwall::upstream::test
