// subscriptions.h: what one WebSocket has subscribed to, and the notifications that follow from it.
//
// A new subscription says nothing until announce_new(), so that the answer with its id comes first. Heads, storage and
// versions are news: what comes while the reader is behind is left out. Pushes are not: they wait. Owner: the
// WebSocket's side of a client; thread: the server's.
#pragma once

#include <cstddef>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "devnode/node.h"
#include "devnode/push.h"
#include "devnode/rpc_error.h"
#include "devnode/sink.h"

namespace ringwall::devnode {

enum class Topic { new_heads, all_heads, finalized_heads, runtime_version, storage, push };

// The heads as they stand after a block, written once for all who hear of it.
struct BlockNews {
  std::string best_header;
  std::string finalized_header;  // empty: the same as before
};

class Subscriptions {
 public:
  using Id = std::expected<std::string, RpcError>;

  Subscriptions(Node& node, Sink& sink) : node_(node), sink_(sink) {}

  // The error is that there are too many.
  [[nodiscard]] Id add(Topic topic);
  [[nodiscard]] Id add_storage(std::vector<std::string> keys);
  [[nodiscard]] Id add_push(const Pace& pace);

  // False: there is none of that topic with that id.
  [[nodiscard]] bool remove(Topic topic, std::string_view id);
  void clear() { all_.clear(); }

  void announce_new();
  void on_block(const BlockNews& news);
  void on_room();

 private:
  struct Subscription {
    std::string id;
    Topic topic;
    std::vector<std::string> keys{};
    std::unique_ptr<Push> push{};
  };

  [[nodiscard]] Id add(Subscription subscription);
  void announce(const Subscription& subscription);
  void notify_storage(const Subscription& subscription, bool with_nulls);
  void notify(const Subscription& subscription, std::string_view result);

  Node& node_;
  Sink& sink_;
  std::vector<Subscription> all_;
  std::size_t announced_ = 0;  // of all_, from the front
};

}  // namespace ringwall::devnode
