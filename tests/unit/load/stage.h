// stage.h: a worker over the simulated kernel, and an endpoint that answers as the test says.
#pragma once

#include "load/course.h"
#include "load/item_table.h"
#include "load/mix.h"
#include "load/plan.h"
#include "load/request_texts.h"
#include "load/result.h"
#include "load/worker.h"

#include "sim/kernel/peer.h"
#include "sim/kernel/server.h"
#include "sim/kernel/sim_kernel.h"
#include "sim/kernel/world.h"

#include <ringwall/http/head.h>
#include <ringwall/http/upgrade.h>
#include <ringwall/websocket/client_messages.h>
#include <ringwall/websocket/frame.h>

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ringwall::load::test {

using sim::millisecond;
using sim::second;

// A text frame as a server writes it.
[[nodiscard]] inline std::string frame_of(std::string_view payload, bool fin = true,
                                          websocket::Opcode opcode = websocket::Opcode::text) {
  std::array<std::byte, websocket::frame_header_bytes_max> header;
  const std::size_t bytes = websocket::write_frame_header(header, fin, opcode, payload.size());
  return std::string(reinterpret_cast<const char*>(header.data()), bytes) + std::string(payload);
}

[[nodiscard]] inline std::string id_of(std::string_view call) {
  const std::size_t at = call.find("\"id\":") + 5;
  return std::string(call.substr(at, call.find(',', at) - at));
}

[[nodiscard]] inline std::string result_of(std::string_view call, std::string_view result = "true") {
  return R"({"jsonrpc":"2.0","id":)" + id_of(call) + R"(,"result":)" + std::string(result) + "}";
}

[[nodiscard]] inline std::string http_of(std::string_view body, std::string_view status = "200 OK") {
  return "HTTP/1.1 " + std::string(status) + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

[[nodiscard]] inline Plan plan_of(Mode mode) {
  Plan plan;
  plan.target = {.url = "ws://192.0.2.1:9944", .host = "192.0.2.1", .port = 9944};
  plan.target.addresses = {sim::address_of("192.0.2.1", 9944)};
  plan.mode = mode;
  plan.connections = 1;
  plan.timeout_ns = 2 * second;
  plan.mix = *Mix::of_one({.name = "echo", .method = "echo", .params = "[]"});
  return plan;
}

class Stage {
 public:
  // `index` is the worker's: from Plan::threads on it is that of the hostile clients.
  explicit Stage(Plan plan_in, unsigned index = 0)
      : plan(std::move(plan_in)),
        world({.seed = 1, .paths = {.latency_ns_max = millisecond}}),
        kernel(world, {}),
        server(world, plan.target.addresses.front()),
        texts_(*RequestTexts::create(plan)) {
    course.calls_left.store(plan.calls_max);
    course.warmup_ns.store(0);
    course.measure_ns.store(0);
    server.on_peer = [this](sim::Peer& peer) { welcome(peer); };
    worker_.emplace(kernel, plan, texts_, course, items, nullptr, told, index);
  }
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;
  ~Stage() {
    (void)end();
    kernel.hold_entries(false);
    while (worker_->lane().clients_alive > 0 || kernel.operations_in_flight() > 0) worker_->turn(10 * millisecond);
    worker_.reset();
    RINGWALL_CHECK(kernel.operations_in_flight() == 0 && kernel.descriptors_open() == 0);
  }

  // What the endpoint says to a request's head, and to each message (POST: each body); empty: nothing.
  std::function<std::string(std::string_view head)> on_head = accept;
  std::function<std::string(std::string_view message)> on_message = [](std::string_view call) {
    return frame_of(result_of(call));
  };

  [[nodiscard]] static std::string accept(std::string_view head) {
    http::RequestHead request;
    RINGWALL_CHECK(http::parse_request_head(head, request).value_or(0) > 0);
    const auto upgrade = http::check_upgrade(request);
    RINGWALL_CHECK(upgrade.has_value());
    std::array<char, 1024> out;
    return {out.data(), http::write_101(out, upgrade->key, {}).value()};
  }

  std::uint64_t reply_delay_ns = 0;

  void run_for(std::uint64_t time_ns) {
    const std::uint64_t until_ns = kernel.now_ns() + time_ns;
    while (kernel.now_ns() < until_ns) worker_->turn(10 * millisecond);
  }

  void turn(std::uint64_t wait_ns_max) { worker_->turn(wait_ns_max); }

  // What was seen, once it is over: at Course::end_ns, or now.
  const Tally& end() {
    if (!std::exchange(is_over_, true)) {
      if (course.end_ns.load() == never_ns) course.end_ns.store(kernel.now_ns());
      is_joined = worker_->run();
    }
    return told.tally;
  }

  // What is seen so far.
  [[nodiscard]] const Tally& tally() const { return worker_->lane().clients.tally; }
  [[nodiscard]] const Tally& hostile_tally() const { return worker_->lane().hostile.tally; }
  [[nodiscard]] std::uint64_t count(Trouble trouble) const {
    return tally().troubles.counts[static_cast<std::size_t>(trouble)];
  }

  Plan plan;
  sim::World world;
  sim::SimKernel kernel;
  Course course;
  ItemTable items;
  Told told;
  sim::Server server;
  bool is_joined = false;                    // after end(): all connections were closed
  std::vector<std::string> heads, messages;  // that reached the endpoint

 private:
  struct Reader {
    bool is_open = false;
    websocket::ClientMessages frames{1 << 20};
  };

  void welcome(sim::Peer& peer) {
    auto reader = std::make_shared<Reader>();
    peer.on_event = [this, reader, held = std::string()](sim::Peer& its) mutable {
      held += its.take_received();
      while (read(its, *reader, held)) {
      }
      if (its.has_ended()) its.half_close();
    };
  }

  bool read(sim::Peer& peer, Reader& reader, std::string& held) {
    if (reader.is_open) return read_frame(peer, reader, held);
    const std::size_t head_bytes = held.find("\r\n\r\n");
    if (head_bytes == std::string::npos) return false;
    const std::string head = held.substr(0, head_bytes + 4);
    if (plan.target.post) {
      http::RequestHead request;
      RINGWALL_CHECK(http::parse_request_head(head, request).value_or(0) > 0);
      if (held.size() < head.size() + request.content_length) return false;
      heads.push_back(head);
      messages.push_back(held.substr(head.size(), request.content_length));
      held.erase(0, head.size() + request.content_length);
      reply(peer);
      return true;
    }
    held.erase(0, head.size());
    heads.push_back(head);
    peer.send(on_head(head));
    reader.is_open = true;
    return true;
  }

  void reply(sim::Peer& peer) {
    std::string said = on_message(messages.back());
    if (reply_delay_ns == 0) return peer.send(said);
    world.events().after(reply_delay_ns, [&peer, said = std::move(said)] { peer.send(said); });
  }

  bool read_frame(sim::Peer& peer, Reader& reader, std::string& held) {
    using Kind = websocket::ClientMessages::Event::Kind;
    std::vector<std::byte> scratch(held.size() + websocket::control_payload_bytes_max);
    std::span<const std::byte> in = std::as_bytes(std::span(std::as_const(held)));
    const auto event = reader.frames.next(in, scratch);
    if (event.kind == Kind::message) {
      messages.emplace_back(reinterpret_cast<const char*>(event.payload.data()), event.payload.size());
      if (event.frame.empty()) reader.frames.drop_message();
      reply(peer);
    } else if (event.kind == Kind::need_memory) {
      RINGWALL_CHECK(reader.frames.grow(event.bytes_wanted));
    } else if (event.kind == Kind::ping || event.kind == Kind::pong) {
      messages.push_back(event.kind == Kind::ping ? "ping" : "pong");
    } else if (event.kind == Kind::close) {
      peer.half_close();
    }
    held.erase(0, held.size() - in.size());
    return event.kind != Kind::need_more && event.kind != Kind::close && event.kind != Kind::violation;
  }

  bool is_over_ = false;
  RequestTexts texts_;
  std::optional<Worker> worker_;
};

}  // namespace ringwall::load::test
