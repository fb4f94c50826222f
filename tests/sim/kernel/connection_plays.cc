// Plays about connections, descriptors and cancels (see play.h).
#include "sim/kernel/play.h"
#include "sim/kernel/world.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace ringwall::sim {

namespace {

Story connects(Stage& stage) {
  const int socket = stage.ring().backend().open_tcp_socket(AF_INET);
  const ring::SocketAddress address = stage.server_address();
  Probe connect(stage, "connect"), again(stage, "again"), receive(stage, "receive");
  connect.connect(socket, address);
  stage.settle();
  again.connect(socket, address);
  const auto server = stage.server_peer();
  server->send("welcome");
  stage.settle();
  receive.receive_multishot(socket);
  stage.settle();
  server->half_close();
  stage.settle();
  close_now(stage, socket);
  return told(connect, again, receive);
}

Story nobody_listens(Stage& stage) {
  const int socket = stage.ring().backend().open_tcp_socket(AF_INET);
  const ring::SocketAddress address = stage.address_of_nobody();
  Probe connect(stage, "connect");
  connect.connect(socket, address);
  stage.settle();
  close_now(stage, socket);
  return told(connect);
}

Story source_is_bound(Stage& stage) {
  ring::Backend& backend = stage.ring().backend();
  const int socket = backend.open_tcp_socket(AF_INET);
  const ring::SocketAddress address = stage.server_address();
  Story story;
  const auto bind = [&](const char* source) {
    const int result = backend.bind_source(socket, address_of(source, 0));
    story.push_back(std::string(source) + (result == 0 ? " is taken" : std::string(" ") + strerrorname_np(-result)));
  };
  for (const char* source : {"198.51.100.7", "127.0.0.9", "127.0.0.8"}) bind(source);
  Probe connect(stage, "connect");
  connect.connect(socket, address);
  stage.settle();
  const auto server = stage.server_peer();
  bind("127.0.0.7");
  close_now(stage, socket);
  for (std::string& line : told(connect)) story.push_back(std::move(line));
  return story;
}

Story accepts_many(Stage& stage) {
  Probe accept(stage, "accept"), cancel(stage, "cancel");
  accept.accept(stage.listener(), true);
  const auto one = stage.enter_peer();
  stage.settle();
  close_now(stage, accept.result());
  const auto two = stage.enter_peer();
  stage.settle();
  close_now(stage, accept.result());
  cancel.cancel(accept);
  stage.settle();
  return told(accept, cancel);
}

Story descriptors_run_out(Stage& stage) {
  Probe accept(stage, "accept");
  stage.allow_descriptors(false);
  accept.accept(stage.listener(), true);
  stage.settle();
  const int socket = stage.ring().backend().open_tcp_socket(AF_INET);
  stage.allow_descriptors(true);
  Story story = told(accept);
  story.push_back(std::string("socket ") + strerrorname_np(-socket));
  return story;
}

Story not_connected(Stage& stage) {
  const int socket = stage.ring().backend().open_tcp_socket(AF_INET);
  std::array<char, 4> into;
  Probe receive(stage, "receive"), provided(stage, "provided"), send(stage, "send"), shut(stage, "shutdown");
  receive.receive(socket, into);
  send.send(socket, "x");
  stage.settle();
  provided.receive_multishot(socket);
  shut.shut_down(socket, SHUT_WR);
  stage.settle();
  close_now(stage, socket);
  return told(receive, provided, send, shut);
}

Story descriptor_is_not_open(Stage& stage) {
  const int gone = stage.ring().backend().open_tcp_socket(AF_INET);
  close_now(stage, gone);
  Probe receive(stage, "receive"), send(stage, "send"), close(stage, "close"), shut(stage, "shutdown");
  receive.receive_multishot(gone);
  send.send(gone, "x");
  close.close(gone);
  shut.shut_down(gone, SHUT_WR);
  stage.settle();
  return told(receive, send, close, shut);
}

Story closed_under_a_receive(Stage& stage) {
  const Pair pair(stage);
  Probe receive(stage, "receive"), close(stage, "close"), again(stage, "again"), cancel(stage, "cancel");
  receive.receive_multishot(pair.socket);
  stage.settle();
  close.close(pair.socket);
  stage.settle();
  again.close(pair.socket);
  pair.peer->send("hello");
  stage.settle();
  Story story{"peer " + pair.peer->end()};
  cancel.cancel(receive);
  stage.settle();
  story.push_back("peer " + pair.peer->end());
  const Story rest = told(receive, close, again, cancel);
  story.insert(story.end(), rest.begin(), rest.end());
  return story;
}

Story closed_with_bytes_unread(Stage& stage) {
  const Pair pair(stage);
  pair.peer->send("never read");
  stage.settle();
  close_now(stage, pair.socket);
  stage.settle();
  return {"peer " + pair.peer->end()};
}

Story bytes_for_one_who_closed(Stage& stage) {
  const Pair pair(stage);
  close_now(stage, pair.socket);
  stage.settle();
  Story story{"peer " + pair.peer->end()};
  return story;
}

Story reset_on_close(Stage& stage) {
  const Pair pair(stage);
  Probe close(stage, "close");
  stage.ring().backend().reset_on_close(pair.socket);
  close.close(pair.socket);
  stage.settle();
  return {"peer " + pair.peer->end()};
}

Story polled_until_a_reset(Stage& stage) {
  const Pair pair(stage);
  Probe poll(stage, "poll"), cancel(stage, "cancel");
  poll.poll_for_end(pair.socket);
  pair.peer->send("never read");
  stage.settle();
  Story story{poll.is_waiting() ? "bytes are not told" : "bytes are told"};
  pair.peer->reset();
  stage.settle();
  cancel.cancel(poll);
  stage.settle();
  close_now(stage, pair.socket);
  const Story rest = told(poll);
  story.insert(story.end(), rest.begin(), rest.end());
  return story;
}

Story polled_until_a_fin(Stage& stage) {
  const Pair pair(stage);
  Probe poll(stage, "poll"), cancel(stage, "cancel");
  poll.poll_for_end(pair.socket);
  stage.settle();
  pair.peer->half_close();
  stage.settle();
  pair.peer->reset();
  stage.settle();
  cancel.cancel(poll);
  stage.settle();
  close_now(stage, pair.socket);
  return told(poll);
}

Story polled_in_vain(Stage& stage) {
  const Pair pair(stage);
  Probe poll(stage, "poll"), cancel(stage, "cancel");
  poll.poll_for_end(pair.socket);
  stage.settle();
  cancel.cancel(poll);
  stage.settle();
  close_now(stage, pair.socket);
  return told(poll, cancel);
}

Story cancel_finds_nothing(Stage& stage) {
  Probe cancel(stage, "cancel");
  io_uring_prep_cancel64(&cancel.prepare(), 12345, 0);
  stage.settle();
  return told(cancel);
}

}  // namespace

std::vector<Play> connection_plays() {
  return {
      {"a connect", connects, {"connect 0", "again EISCONN", "receive 7 in buffers, more", "receive 0"}},
      {"a source is one of this machine's, and bound before the connect",
       source_is_bound,
       {"198.51.100.7 EADDRNOTAVAIL", "127.0.0.9 is taken", "127.0.0.8 is taken", "127.0.0.7 EINVAL", "connect 0"}},
      {"a connect where nobody listens", nobody_listens, {"connect ECONNREFUSED"}},
      {"accepts go on until cancelled",
       accepts_many,
       {"accept a descriptor, more", "accept a descriptor, more", "accept ECANCELED", "cancel 0"}},
      {"descriptors run out", descriptors_run_out, {"accept EMFILE", "socket EMFILE"}},
      {"a socket that is not connected",
       not_connected,
       {"receive ENOTCONN", "provided ENOTCONN", "send EPIPE", "shutdown ENOTCONN"}},
      {"a descriptor that is not open",
       descriptor_is_not_open,
       {"receive EBADF", "send EBADF", "close EBADF", "shutdown EBADF"}},
      {"a descriptor closed under a receive",
       closed_under_a_receive,
       {"peer ", "peer closed", "receive 5 in buffers, more", "receive ECANCELED", "close 0", "again EBADF",
        "cancel 0"}},
      {"closed with bytes unread", closed_with_bytes_unread, {"peer ECONNRESET"}},
      {"closed with nothing unread", bytes_for_one_who_closed, {"peer closed"}},
      {"reset on close", reset_on_close, {"peer ECONNRESET"}},
      {"a poll until a reset", polled_until_a_reset, {"bytes are not told", "poll 8216, more", "poll ECANCELED"}},
      {"a poll until a FIN", polled_until_a_fin, {"poll 8192, more", "poll 8216, more", "poll ECANCELED"}},
      {"a poll that is cancelled", polled_in_vain, {"poll ECANCELED", "cancel 0"}},
      {"a cancel finds nothing", cancel_finds_nothing, {"cancel ENOENT"}},
  };
}

}  // namespace ringwall::sim
