// Plays about receives and reads (see play.h).
#include "sim/kernel/play.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace ringwall::sim {

namespace {

Story bytes_then_end(Stage& stage) {
  const Pair pair(stage);
  Probe receive(stage, "receive");
  receive.receive_multishot(pair.socket);
  pair.peer->send("hello");
  stage.settle();
  pair.peer->half_close();
  stage.settle();
  close_now(stage, pair.socket);
  return told(receive);
}

Story bytes_then_reset(Stage& stage) {
  const Pair pair(stage);
  Probe receive(stage, "receive"), again(stage, "again"), send(stage, "send");
  receive.receive_multishot(pair.socket);
  pair.peer->send("hello");
  stage.settle();
  pair.peer->reset();
  stage.settle();
  again.receive_multishot(pair.socket);
  send.send(pair.socket, "x");
  stage.settle();
  Story story = told(receive, again, send);
  story.push_back(stage.ring().backend().peer_address(pair.socket).bytes == 0 ? "nobody is there" : "a peer is there");
  close_now(stage, pair.socket);
  return story;
}

Story idle_receive_cancelled(Stage& stage) {
  const Pair pair(stage);
  Probe receive(stage, "receive"), cancel(stage, "cancel"), again(stage, "receive");
  receive.receive_multishot(pair.socket);
  stage.settle();
  cancel.cancel(receive);
  stage.settle();
  again.receive_multishot(pair.socket);
  pair.peer->send("still there");
  stage.settle();
  pair.peer->half_close();
  stage.settle();
  close_now(stage, pair.socket);
  return told(receive, cancel, again);
}

Story buffers_run_out(Stage& stage) {
  const Pair pair(stage);
  Probe receive(stage, "receive"), without(stage, "without"), with(stage, "with");
  receive.keep_buffers();
  receive.receive_multishot(pair.socket);
  for (int sent = 0; sent <= Stage::buffers_max; ++sent) {
    pair.peer->send("x");
    stage.settle();
  }
  without.receive_multishot(pair.socket);
  stage.settle();
  receive.let_go();
  with.receive_multishot(pair.socket);
  stage.settle();
  pair.peer->half_close();
  stage.settle();
  close_now(stage, pair.socket);
  return told(receive, without, with);
}

Story no_such_buffers(Stage& stage) {
  const Pair pair(stage);
  Probe receive(stage, "receive");
  io_uring_sqe& entry = receive.prepare();
  io_uring_prep_recv_multishot(&entry, pair.socket, nullptr, 0, 0);
  entry.flags |= IOSQE_BUFFER_SELECT;
  entry.buf_group = 77;
  stage.settle();
  close_now(stage, pair.socket);
  return told(receive);
}

Story polled_first(Stage& stage) {
  const Pair pair(stage);
  Probe hold(stage, "hold"), receive(stage, "receive");
  hold.keep_buffers();
  hold.receive_multishot(pair.socket);
  for (int sent = 0; sent <= Stage::buffers_max; ++sent) {
    pair.peer->send("x");
    stage.settle();
  }
  std::array<char, 1> last;
  Probe drain(stage, "drain");
  drain.receive(pair.socket, last);
  stage.settle();
  io_uring_sqe& entry = receive.prepare();
  io_uring_prep_recv_multishot(&entry, pair.socket, nullptr, 0, 0);
  entry.flags |= IOSQE_BUFFER_SELECT;
  entry.buf_group = stage.buffers().group();
  entry.ioprio |= IORING_RECVSEND_POLL_FIRST;
  stage.settle();
  Story story{told(receive).empty() ? "waits without a buffer" : "does not wait"};
  hold.let_go();
  pair.peer->send("y");
  stage.settle();
  pair.peer->half_close();
  stage.settle();
  const Story rest = told(hold, drain, receive);
  story.insert(story.end(), rest.begin(), rest.end());
  close_now(stage, pair.socket);
  return story;
}

Story exact_receive(Stage& stage) {
  const Pair pair(stage);
  std::array<char, 10> into{};
  Probe all(stage, "all"), some(stage, "some");
  all.receive(pair.socket, into, MSG_WAITALL);
  stage.settle();
  pair.peer->send("01234");
  stage.settle();
  pair.peer->send("567890123");
  stage.settle();
  Story story{std::string(into.data(), into.size())};
  some.receive(pair.socket, into, MSG_WAITALL);
  pair.peer->half_close();
  stage.settle();
  const Story rest = told(all, some);
  story.insert(story.end(), rest.begin(), rest.end());
  close_now(stage, pair.socket);
  return story;
}

Story both_directions_shut(Stage& stage) {
  const Pair pair(stage);
  Probe receive(stage, "receive"), shut(stage, "shutdown");
  receive.receive_multishot(pair.socket);
  stage.settle();
  shut.shut_down(pair.socket, SHUT_RDWR);
  stage.settle();
  close_now(stage, pair.socket);
  return told(receive, shut);
}

Story mailbox(Stage& stage) {
  const int mailbox = stage.open_mailbox();
  std::uint64_t signals = 0;
  Probe read(stage, "read"), again(stage, "again");
  io_uring_prep_read(&read.prepare(), mailbox, &signals, sizeof signals, 0);
  stage.settle();
  Story story{told(read).empty() ? "waits" : "does not wait"};
  stage.signal_mailbox(mailbox);
  stage.settle();
  stage.signal_mailbox(mailbox);
  stage.signal_mailbox(mailbox);
  io_uring_prep_read(&again.prepare(), mailbox, &signals, sizeof signals, 0);
  stage.settle();
  story.push_back("signals " + std::to_string(signals));
  const Story rest = told(read, again);
  story.insert(story.end(), rest.begin(), rest.end());
  close_now(stage, mailbox);
  return story;
}

}  // namespace

std::vector<Play> receive_plays() {
  return {
      {"bytes, then the end", bytes_then_end, {"receive 5 in buffers, more", "receive 0"}},
      {"bytes, then a reset",
       bytes_then_reset,
       {"receive 5 in buffers, more", "receive ECONNRESET", "again 0", "send EPIPE", "nobody is there"}},
      {"an idle receive is cancelled",
       idle_receive_cancelled,
       {"receive ECANCELED", "cancel 0", "receive 11 in buffers, more", "receive 0"}},
      {"buffers run out",
       buffers_run_out,
       {"receive 16 in buffers, more", "receive ENOBUFS", "without ENOBUFS", "with 1 in buffers, more", "with 0"}},
      {"there are no such buffers", no_such_buffers, {"receive ENOBUFS"}},
      {"a receive that polls first needs no buffer to wait",
       polled_first,
       {"waits without a buffer", "hold 16 in buffers, more", "hold ENOBUFS", "drain 1", "receive 1 in buffers, more",
        "receive 0"}},
      {"a receive of so many bytes", exact_receive, {"0123456789", "all 10", "some 4"}},
      {"both directions are shut under a receive", both_directions_shut, {"receive 0", "shutdown 0"}},
      {"a mailbox", mailbox, {"waits", "signals 2", "read 8", "again 8"}},
  };
}

}  // namespace ringwall::sim
