// Plays about sending through the kernel's TLS, and about attaching it (see tls_play.h).
#include "sim/kernel/tls_play.h"

#include <array>

namespace ringwall::sim {

namespace {

Story sends_become_records(Stage& stage) {
  TlsPair pair(stage);
  const std::string much(16 * 1024, 'x');
  Probe small(stage, "small"), large(stage, "large");
  small.send(pair.socket, "hello");
  stage.settle();
  large.send(pair.socket, much);
  stage.settle();
  Story story = told(small, large);
  append(story, pair.hear());
  story.push_back(pair.text == "hello" + much ? "as it was said" : "something else");
  close_now(stage, pair.socket);
  return story;
}

Story more_follows(Stage& stage) {
  TlsPair pair(stage);
  Probe first(stage, "first"), second(stage, "second");
  first.send(pair.socket, "one, ", MSG_MORE);
  stage.settle();
  Story story = pair.hear();
  second.send(pair.socket, "two");
  stage.settle();
  append(story, told(first, second));
  append(story, pair.hear());
  close_now(stage, pair.socket);
  return story;
}

Story typed_sends(Stage& stage) {
  TlsPair pair(stage);
  Probe data(stage, "data"), update(stage, "update"), alert(stage, "alert");
  ring::TlsControlMessage messages[2];
  data.send(pair.socket, "hello");
  messages[0].prepare_send(update.prepare(), pair.socket, handshake_type, bytes_of(key_update));
  messages[1].prepare_send(alert.prepare(), pair.socket, alert_type, bytes_of(close_notify));
  stage.settle();
  Story story = told(data, update, alert);
  append(story, pair.hear());
  close_now(stage, pair.socket);
  return story;
}

Story forbidden_flags(Stage& stage) {
  TlsPair pair(stage);
  Probe send(stage, "send"), alert(stage, "alert");
  ring::TlsControlMessage message;
  send.send(pair.socket, "hello", MSG_WAITALL);
  io_uring_sqe& entry = alert.prepare();
  message.prepare_send(entry, pair.socket, alert_type, bytes_of(close_notify));
  entry.msg_flags |= MSG_MORE;
  stage.settle();
  Story story = told(send, alert);
  append(story, pair.hear());
  close_now(stage, pair.socket);
  return story;
}

// Neither a close nor a shutdown says close_notify.
Story close_says_nothing(Stage& stage) {
  TlsPair pair(stage);
  Probe shut(stage, "shutdown");
  shut.shut_down(pair.socket, SHUT_WR);
  stage.settle();
  Story story = told(shut);
  append(story, pair.hear());
  story.push_back(pair.peer->end());
  close_now(stage, pair.socket);
  return story;
}

// How much a socket takes differs; that nothing of it is lost or out of order does not.
Story reader_behind(Stage& stage) {
  TlsPair pair(stage);
  pair.peer->stop_reading();
  std::string said;
  bool waits = false;
  std::string piece(16 * 1024, ' ');
  std::vector<std::unique_ptr<Probe>> sends;
  for (int count = 0; count < 1024 && !waits; ++count) {
    for (char& letter : piece) letter = static_cast<char>('a' + count % 26);
    sends.push_back(std::make_unique<Probe>(stage, "send"));
    sends.back()->send(pair.socket, piece);
    stage.settle();
    waits = sends.back()->is_waiting();
    if (!waits) said += piece.substr(0, static_cast<std::size_t>(sends.back()->result()));
  }
  Story story{waits ? "waits" : "never waits"};
  pair.peer->read_on();
  for (int turn = 0; turn < 200 && sends.back()->is_waiting(); ++turn) stage.settle();
  said += piece.substr(0, static_cast<std::size_t>(sends.back()->result()));
  for (int turn = 0; turn < 200 && pair.text.size() < said.size(); ++turn) {
    stage.settle();
    (void)pair.hear();
  }
  story.push_back(pair.text == said ? "all of it came" : "not what was said");
  close_now(stage, pair.socket);
  return story;
}

Story reader_behind_resets(Stage& stage) {
  TlsPair pair(stage);
  pair.peer->stop_reading();
  const std::string piece(16 * 1024, 'x');
  std::vector<std::unique_ptr<Probe>> sends;
  do {
    sends.push_back(std::make_unique<Probe>(stage, "send"));
    sends.back()->send(pair.socket, piece);
    stage.settle();
  } while (sends.size() < 1024 && !sends.back()->is_waiting());
  pair.peer->reset();
  stage.settle();
  Story story = told(*sends.back());
  Probe again(stage, "again"), receive(stage, "receive");
  again.send(pair.socket, "x");
  receive.receive_multishot(pair.socket);
  stage.settle();
  append(story, told(again, receive));
  close_now(stage, pair.socket);
  return story;
}

template <std::uint16_t version, std::uint16_t cipher_type>
Story both_ways(Stage& stage) {
  TlsPair pair(stage, version, cipher_type);
  Probe receive(stage, "receive"), first(stage, "first"), second(stage, "second");
  receive.receive_multishot(pair.socket);
  for (const std::string_view text : {"one, ", "two, ", "three"}) pair.say(data_type, text);
  first.send(pair.socket, "four");
  stage.settle();
  second.send(pair.socket, "five!");
  stage.settle();
  pair.peer->half_close();
  stage.settle();
  Story story = told(receive, first, second);
  append(story, pair.hear());
  close_now(stage, pair.socket);
  return story;
}

Story attaching(Stage& stage) {
  const Pair pair(stage), left(stage);
  ring::Backend& backend = stage.ring().backend();
  Story story;
  const auto tell = [&story](int result) { story.push_back(result == 0 ? "done" : strerrorname_np(-result)); };
  const std::vector<std::byte> key = crypto_info(1);
  tell(backend.set_tls_key(pair.socket, ring::TlsDirection::send, key));
  tell(backend.attach_tls(pair.socket));
  tell(backend.attach_tls(pair.socket));
  tell(backend.set_tls_key(pair.socket, ring::TlsDirection::send, std::span(key).first(key.size() - 1)));
  tell(backend.set_tls_key(pair.socket, ring::TlsDirection::send, crypto_info(1, TLS_1_3_VERSION + 1)));
  tell(backend.set_tls_key(pair.socket, ring::TlsDirection::send, key));
  tell(backend.set_tls_key(pair.socket, ring::TlsDirection::receive, crypto_info(1, TLS_1_2_VERSION)));
  tell(backend.set_tls_key(pair.socket, ring::TlsDirection::receive, key));
  left.peer->half_close();
  stage.settle();
  tell(backend.attach_tls(left.socket));
  tell(backend.attach_tls(-1));
  close_now(stage, pair.socket);
  close_now(stage, left.socket);
  return story;
}

// One direction has its key, the other is as TCP is.
Story one_direction(Stage& stage) {
  const Pair pair(stage);
  ring::Backend& backend = stage.ring().backend();
  Story story{std::to_string(backend.attach_tls(pair.socket))};
  story.push_back(std::to_string(backend.set_tls_key(pair.socket, ring::TlsDirection::send, crypto_info(1))));
  Probe receive(stage, "receive"), send(stage, "send");
  receive.receive_multishot(pair.socket);
  pair.peer->send("plain");
  send.send(pair.socket, "sealed");
  stage.settle();
  pair.peer->half_close();
  stage.settle();
  append(story, told(receive, send));
  story.push_back("heard " + std::to_string(pair.peer->heard().size()));
  close_now(stage, pair.socket);
  return story;
}

Story second_key_refused(Stage& stage) {
  const TlsPair pair(stage);
  Story story;
  for (const auto direction : {ring::TlsDirection::send, ring::TlsDirection::receive}) {
    story.emplace_back(strerrorname_np(-pair.set_key(direction, crypto_info(1))));
  }
  close_now(stage, pair.socket);
  return story;
}

Story second_key_taken(Stage& stage) {
  TlsPair pair(stage);
  Probe old(stage, "old"), update(stage, "update"), next(stage, "next");
  ring::TlsControlMessage message;
  old.send(pair.socket, "hello");
  message.prepare_send(update.prepare(), pair.socket, handshake_type, bytes_of(key_update));
  stage.settle();
  Story story = pair.hear();
  story.push_back(std::to_string(pair.set_key(ring::TlsDirection::send, crypto_info(0x52))));
  pair.opener = *RecordCipher::from(crypto_info(0x52));
  next.send(pair.socket, "under the next key");
  stage.settle();
  append(story, pair.hear());
  append(story, told(old, update, next));
  const TlsPair older(stage, TLS_1_2_VERSION);
  story.emplace_back(strerrorname_np(-older.set_key(ring::TlsDirection::send, crypto_info(1, TLS_1_2_VERSION))));
  close_now(stage, pair.socket);
  close_now(stage, older.socket);
  return story;
}

template <std::uint16_t version, std::uint16_t cipher_type>
Play both_ways_play(const char* name) {
  return {name,
          both_ways<version, cipher_type>,
          {"receive 15 in buffers, more", "receive 0", "first 4", "second 5", "23 of 4", "23 of 5"},
          Needs::tls};
}

}  // namespace

std::vector<Play> tls_send_plays() {
  return {
      {"sends become records",
       sends_become_records,
       {"small 5", "large 16384", "23 of 5", "23 of 16384", "as it was said"},
       Needs::tls},
      {"a record stays open while more follows", more_follows, {"first 5", "second 3", "23 of 8"}, Needs::tls},
      {"records of other types",
       typed_sends,
       {"data 5", "update 5", "alert 2", "23 of 5", "22 of 5", "21 of 2"},
       Needs::tls},
      {"flags that it does not take", forbidden_flags, {"send EOPNOTSUPP", "alert EINVAL"}, Needs::tls},
      {"a shutdown says no close_notify", close_says_nothing, {"shutdown 0", "closed"}, Needs::tls},
      {"a reader that is behind", reader_behind, {"waits", "all of it came"}, Needs::tls},
      {"a reader that is behind resets",
       reader_behind_resets,
       {"send ECONNRESET", "again ECONNRESET", "receive ECONNRESET"},
       Needs::tls},
      both_ways_play<TLS_1_3_VERSION, TLS_CIPHER_AES_GCM_128>("TLS 1.3, AES-128-GCM"),
      both_ways_play<TLS_1_3_VERSION, TLS_CIPHER_AES_GCM_256>("TLS 1.3, AES-256-GCM"),
      both_ways_play<TLS_1_3_VERSION, TLS_CIPHER_CHACHA20_POLY1305>("TLS 1.3, ChaCha20-Poly1305"),
      both_ways_play<TLS_1_2_VERSION, TLS_CIPHER_AES_GCM_128>("TLS 1.2, AES-128-GCM"),
      both_ways_play<TLS_1_2_VERSION, TLS_CIPHER_AES_GCM_256>("TLS 1.2, AES-256-GCM"),
      both_ways_play<TLS_1_2_VERSION, TLS_CIPHER_CHACHA20_POLY1305>("TLS 1.2, ChaCha20-Poly1305"),
      {"attaching and giving keys",
       attaching,
       {"ENOPROTOOPT", "done", "EEXIST", "EINVAL", "EINVAL", "done", "EINVAL", "done", "ENOTCONN", "EBADF"},
       Needs::tls},
      {"one direction alone",
       one_direction,
       {"0", "0", "receive 5 in buffers, more", "receive 0", "send 6", "heard 28"},
       Needs::tls},
      {"a second key, where there is one", second_key_refused, {"EBUSY", "EBUSY"}, Needs::tls_with_one_key},
      {"a second key, where it can be replaced",
       second_key_taken,
       {"23 of 5", "22 of 5", "0", "23 of 18", "old 5", "update 5", "next 18", "EBUSY"},
       Needs::tls_with_second_key},
  };
}

}  // namespace ringwall::sim
