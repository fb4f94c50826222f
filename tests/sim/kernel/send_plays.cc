// Plays about sends (see play.h).
#include "sim/kernel/play.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace ringwall::sim {

namespace {

const std::string much(16 * 1024 * 1024, 'x');

// Returns how many bytes went in. Linux lets its buffers grow for a while, so "full" is when it says so again and
// again.
std::size_t fill(Stage& stage, int socket, Probe& send) {
  std::size_t sent = 0;
  for (int times_full = 0; times_full < 5;) {
    send.send(socket, much, MSG_DONTWAIT);
    stage.settle();
    times_full = send.result() == -EAGAIN ? times_full + 1 : 0;
    if (send.result() > 0) sent += static_cast<std::size_t>(send.result());
  }
  return sent;
}

std::size_t unacknowledged_bytes(Stage& stage, const Pair& pair) {
  return stage.ring().backend().unacknowledged_bytes(pair.socket);
}

Story full_socket(Stage& stage) {
  const Pair pair(stage);
  pair.peer->stop_reading();
  Probe send(stage, "send"), wait(stage, "wait");
  std::size_t sent = fill(stage, pair.socket, send);
  wait.send(pair.socket, much);
  stage.settle();
  Story story{told(wait).empty() ? "waits" : "does not wait"};
  story.push_back(unacknowledged_bytes(stage, pair) > 0 ? "bytes are on the way" : "nothing is on the way");
  pair.peer->read_on();
  stage.settle();
  if (wait.result() > 0) sent += static_cast<std::size_t>(wait.result());
  story.push_back(wait.result() > 0 && sent > 0 ? "goes on" : "fails");
  stage.settle();
  story.push_back(pair.peer->heard().size() == sent ? "all is heard" : "not all is heard");
  story.push_back(unacknowledged_bytes(stage, pair) > 0 ? "bytes are on the way" : "nothing is on the way");
  close_now(stage, pair.socket);
  return story;
}

Story both_waits_cancelled(Stage& stage) {
  const Pair pair(stage);
  pair.peer->stop_reading();
  Probe filler(stage, "fill"), receive(stage, "receive"), send(stage, "send");
  Probe cancel(stage, "cancel"), second_cancel(stage, "cancel again");
  (void)fill(stage, pair.socket, filler);
  receive.receive_multishot(pair.socket);
  send.send(pair.socket, much);
  stage.settle();
  cancel.cancel(receive);
  second_cancel.cancel(send);
  stage.settle();
  close_now(stage, pair.socket);
  return told(receive, send, cancel, second_cancel);
}

Story reset_met_by_a_send(Stage& stage) {
  const Pair pair(stage);
  Probe first(stage, "send"), second_send(stage, "send again"), receive(stage, "receive");
  pair.peer->reset();
  stage.settle();
  first.send(pair.socket, "x");
  stage.settle();
  second_send.send(pair.socket, "x");
  receive.receive_multishot(pair.socket);
  stage.settle();
  close_now(stage, pair.socket);
  return told(first, second_send, receive);
}

Story sends_to_one_who_left(Stage& stage) {
  const Pair pair(stage);
  Probe receive(stage, "receive"), send(stage, "send"), again(stage, "send again"), last(stage, "receive again");
  receive.receive_multishot(pair.socket);
  pair.peer->leave();
  stage.settle();
  send.send(pair.socket, "x");
  stage.settle();
  again.send(pair.socket, "x");
  stage.settle();
  last.receive_multishot(pair.socket);
  stage.settle();
  close_now(stage, pair.socket);
  return told(receive, send, again, last);
}

Story bytes_come_after_both_ends_were_shut(Stage& stage) {
  const Pair pair(stage);
  Probe shut(stage, "shutdown"), receive(stage, "receive"), again(stage, "receive again");
  shut.shut_down(pair.socket, SHUT_RDWR);
  stage.settle();
  pair.peer->send("late");
  stage.settle();
  receive.receive_multishot(pair.socket);
  stage.settle();
  again.receive_multishot(pair.socket);
  stage.settle();
  close_now(stage, pair.socket);
  return told(shut, receive, again);
}

// By the direct call, which is done when it returns.
Story end_of_sending_at_once(Stage& stage) {
  const Pair pair(stage);
  Probe receive(stage, "receive");
  Story story;
  const auto shut = [&] {
    const int result = stage.ring().backend().shut_down_sending(pair.socket);
    story.push_back(result == 0 ? "shut" : result == -ENOTCONN ? "ENOTCONN" : "another error");
  };
  shut();
  shut();
  receive.receive_multishot(pair.socket);
  stage.settle();
  story.push_back("peer " + pair.peer->end());
  pair.peer->send("answer");
  stage.settle();
  pair.peer->half_close();
  stage.settle();
  shut();
  const Story rest = told(receive);
  story.insert(story.end(), rest.begin(), rest.end());
  close_now(stage, pair.socket);
  return story;
}

Story end_of_sending(Stage& stage) {
  const Pair pair(stage);
  Probe shut(stage, "shutdown"), again(stage, "again"), send(stage, "send"), receive(stage, "receive"),
      late(stage, "late");
  shut.shut_down(pair.socket, SHUT_WR);
  stage.settle();
  again.shut_down(pair.socket, SHUT_WR);
  send.send(pair.socket, "x");
  receive.receive_multishot(pair.socket);
  stage.settle();
  Story story{"peer " + pair.peer->end()};
  pair.peer->send("answer");
  stage.settle();
  pair.peer->half_close();
  stage.settle();
  late.shut_down(pair.socket, SHUT_WR);
  stage.settle();
  const Story rest = told(shut, again, send, receive, late);
  story.insert(story.end(), rest.begin(), rest.end());
  close_now(stage, pair.socket);
  return story;
}

Story gathered_send(Stage& stage) {
  const Pair pair(stage);
  std::array<iovec, 3> parts{
      {{const_cast<char*>("one "), 4}, {const_cast<char*>(""), 0}, {const_cast<char*>("two"), 3}}};
  msghdr header{};
  header.msg_iov = parts.data();
  header.msg_iovlen = parts.size();
  Probe send(stage, "send");
  io_uring_prep_sendmsg(&send.prepare(), pair.socket, &header, MSG_NOSIGNAL);
  stage.ring().turn(0);
  parts = {};  // both are the kernel's only until they are submitted
  header = {};
  stage.settle();
  Story story = told(send);
  story.push_back(pair.peer->heard());
  close_now(stage, pair.socket);
  return story;
}

Story last_words_before_close(Stage& stage) {
  const Pair pair(stage);
  Probe send(stage, "send"), close(stage, "close");
  send.send(pair.socket, "goodbye");
  close.close(pair.socket);
  stage.settle();
  Story story = told(send, close);
  story.push_back("peer " + pair.peer->end());
  story.push_back(pair.peer->heard());
  return story;
}

}  // namespace

std::vector<Play> send_plays() {
  return {
      {"a full socket",
       full_socket,
       {"waits", "bytes are on the way", "goes on", "all is heard", "nothing is on the way"}},
      {"both that wait for a socket are cancelled",
       both_waits_cancelled,
       {"receive ECANCELED", "send ECANCELED", "cancel 0", "cancel again 0"}},
      {"a reset met by a send", reset_met_by_a_send, {"send ECONNRESET", "send again EPIPE", "receive 0"}},
      {"sends to one who left", sends_to_one_who_left, {"receive 0", "send 1", "send again EPIPE", "receive again 0"}},
      {"bytes come after both directions were shut",
       bytes_come_after_both_ends_were_shut,
       {"shutdown 0", "receive ECONNRESET", "receive again 0"}},
      {"the end of sending",
       end_of_sending,
       {"peer closed", "shutdown 0", "again 0", "send EPIPE", "receive 6 in buffers, more", "receive 0",
        "late ENOTCONN"}},
      {"the end of sending, at once",
       end_of_sending_at_once,
       {"shut", "shut", "peer closed", "ENOTCONN", "receive 6 in buffers, more", "receive 0"}},
      {"a gathered send", gathered_send, {"send 7", "one two"}},
      {"last words before a close", last_words_before_close, {"send 7", "close 0", "peer closed", "goodbye"}},
  };
}

}  // namespace ringwall::sim
