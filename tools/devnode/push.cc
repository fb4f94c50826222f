#include "devnode/push.h"

#include <algorithm>
#include <utility>

#include "devnode/notification.h"

namespace ringwall::devnode {

namespace {

constexpr std::uint64_t shared_bytes_min = 4096;  // less is sooner copied than shared

}  // namespace

Push::Push(Node& node, Sink& sink, std::string id, const Pace& pace)
    : node_(node), sink_(sink), id_(std::move(id)), pace_(pace) {}

void Push::start() {
  start_ns_ = monotonic_ns();
  send_due();
}

void Push::send_due() {
  waits_for_room_ = false;
  const std::uint64_t due = (monotonic_ns() - start_ns_) / pace_.interval_ns + 1;
  while (sent_ < due && !is_done()) {
    if (!sink_.has_room()) {
      waits_for_room_ = true;
      return;
    }
    send_one();
  }
  if (!is_done()) node_.timers.start(timer_, start_ns_ + sent_ * pace_.interval_ns);
}

void Push::send_one() {
  Reply message;
  begin_notification(message, "dev_push", id_);
  message.append(R"({"number":)").append(sent_++).append(R"(,"fill":)");
  append_fill(message, node_, pace_.fill_bytes);
  message.append("}");
  end_notification(message);
  sink_.send(std::move(message));
}

void append_fill(Reply& reply, const Node& node, std::uint64_t bytes) {
  reply.append("\"");
  while (bytes > 0) {
    const auto fill = node.fill.bytes().first(std::min<std::uint64_t>(bytes, node.fill.size()));
    if (fill.size() < shared_bytes_min) {
      reply.append({reinterpret_cast<const char*>(fill.data()), fill.size()});
    } else {
      reply.append_shared(node.fill.share(fill));
    }
    bytes -= fill.size();
  }
  reply.append("\"");
}

}  // namespace ringwall::devnode
