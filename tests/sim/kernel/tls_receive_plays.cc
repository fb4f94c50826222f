// Plays about receiving through the kernel's TLS (see tls_play.h).
#include "sim/kernel/tls_play.h"

#include <array>

namespace ringwall::sim {

namespace {

// The records queue before the receive begins, so that one completion has all of them.
Story records_join(Stage& stage) {
  TlsPair pair(stage);
  std::array<char, 64> into{};
  for (const std::string_view text : {"one, ", "two, ", "three"}) pair.say(data_type, text);
  stage.settle();
  Probe receive(stage, "receive");
  receive.receive(pair.socket, into);
  stage.settle();
  Story story = told(receive);
  story.emplace_back(into.data());
  close_now(stage, pair.socket);
  return story;
}

Story record_over_buffers(Stage& stage) {
  TlsPair pair(stage);
  Probe receive(stage, "receive");
  receive.receive_multishot(pair.socket);
  pair.say(data_type, std::string(16 * 1024, 'x'));
  stage.settle();
  pair.peer->half_close();
  stage.settle();
  close_now(stage, pair.socket);
  return told(receive);
}

Story end_inside_record(Stage& stage) {
  TlsPair pair(stage);
  Probe receive(stage, "receive");
  receive.receive_multishot(pair.socket);
  pair.say(data_type, "whole");
  pair.peer->send(pair.record(data_type, "cut short").substr(0, 20));
  stage.settle();
  pair.peer->half_close();
  stage.settle();
  close_now(stage, pair.socket);
  return told(receive);
}

Story reset_after_data(Stage& stage) {
  TlsPair pair(stage);
  Probe receive(stage, "receive"), again(stage, "again"), send(stage, "send"), next(stage, "next");
  Probe then(stage, "then"), last(stage, "last"), end(stage, "end");
  receive.receive_multishot(pair.socket);
  pair.say(data_type, "hello");
  stage.settle();
  pair.peer->reset();
  stage.settle();
  again.receive_multishot(pair.socket);
  stage.settle();
  for (Probe* probe : {&send, &next, &then}) {
    probe->send(pair.socket, "x");
    stage.settle();
  }
  for (Probe* probe : {&last, &end}) {
    probe->receive_multishot(pair.socket);
    stage.settle();
  }
  close_now(stage, pair.socket);
  return told(receive, again, send, next, then, last, end);
}

// Nothing was received when the reset came, and part of a record waits.
Story reset_with_data_waiting(Stage& stage) {
  TlsPair pair(stage);
  Probe receive(stage, "receive"), again(stage, "again");
  pair.say(data_type, "hello");
  pair.say(data_type, "there");
  pair.peer->send(pair.record(data_type, "cut short").substr(0, 20));
  stage.settle();
  pair.peer->reset();
  stage.settle();
  receive.receive_multishot(pair.socket);
  stage.settle();
  again.receive_multishot(pair.socket);
  stage.settle();
  close_now(stage, pair.socket);
  return told(receive, again);
}

Story both_directions_shut(Stage& stage) {
  TlsPair pair(stage);
  Probe receive(stage, "receive"), shut(stage, "shutdown"), send(stage, "send"), next(stage, "next");
  receive.receive_multishot(pair.socket);
  stage.settle();
  shut.shut_down(pair.socket, SHUT_RDWR);
  stage.settle();
  send.send(pair.socket, "x");
  stage.settle();
  next.send(pair.socket, "x");
  stage.settle();
  close_now(stage, pair.socket);
  return told(receive, shut, send, next);
}

Story end_is_polled_for(Stage& stage) {
  TlsPair pair(stage);
  Probe poll(stage, "poll"), cancel(stage, "cancel");
  poll.poll_for_end(pair.socket);
  pair.say(data_type, "hello");
  stage.settle();
  Story story{told(poll).empty() ? "waits through data" : "ends with data"};
  pair.peer->reset();
  stage.settle();
  cancel.cancel(poll);
  stage.settle();
  story.push_back(told(poll).empty() ? "no end" : "an end");
  close_now(stage, pair.socket);
  return story;
}

Story receive_cancelled(Stage& stage) {
  TlsPair pair(stage);
  Probe receive(stage, "receive"), cancel(stage, "cancel"), again(stage, "again");
  receive.receive_multishot(pair.socket);
  const std::string record = pair.record(data_type, "hello");
  pair.peer->send(record.substr(0, 9));
  stage.settle();
  cancel.cancel(receive);
  stage.settle();
  again.receive_multishot(pair.socket);
  pair.peer->send(record.substr(9));
  stage.settle();
  pair.peer->half_close();
  stage.settle();
  close_now(stage, pair.socket);
  return told(receive, cancel, again);
}

Story alert_after_data(Stage& stage) {
  TlsPair pair(stage);
  Probe receive(stage, "receive"), again(stage, "again"), rest(stage, "rest");
  receive.receive_multishot(pair.socket);
  pair.say(data_type, "hello");
  pair.say(alert_type, close_notify);
  pair.peer->half_close();
  stage.settle();
  again.receive_multishot(pair.socket);
  stage.settle();
  Story story = told(receive, again);
  append(story, TypedReceive(stage, pair.socket, 64).told());
  rest.receive_multishot(pair.socket);
  stage.settle();
  append(story, told(rest));
  close_now(stage, pair.socket);
  return story;
}

Story data_with_type(Stage& stage) {
  TlsPair pair(stage);
  pair.say(data_type, "hello");
  pair.say(alert_type, close_notify);
  stage.settle();
  Story story = TypedReceive(stage, pair.socket, 64).told();
  append(story, TypedReceive(stage, pair.socket, 64).told());
  pair.peer->half_close();
  stage.settle();
  append(story, TypedReceive(stage, pair.socket, 64).told());
  close_now(stage, pair.socket);
  return story;
}

Story control_record_in_parts(Stage& stage) {
  TlsPair pair(stage);
  pair.say(handshake_type, key_update);
  stage.settle();
  Story story = TypedReceive(stage, pair.socket, 2).told();
  append(story, TypedReceive(stage, pair.socket, 64).told());
  close_now(stage, pair.socket);
  return story;
}

Story typed_receive_waits(Stage& stage) {
  TlsPair pair(stage);
  std::array<std::byte, 16> into{};
  ring::TlsControlMessage message;
  Probe receive(stage, "typed");
  message.prepare_receive(receive.prepare(), pair.socket, into);
  stage.settle();
  Story story{told(receive).empty() ? "waits" : "does not wait"};
  pair.say(alert_type, close_notify);
  stage.settle();
  append(story, told(receive));
  story.push_back("type " + std::to_string(message.record_type().value_or(0)));
  close_now(stage, pair.socket);
  return story;
}

Story corrupt_record(Stage& stage) {
  TlsPair pair(stage);
  Probe receive(stage, "receive"), again(stage, "again"), send(stage, "send");
  receive.receive_multishot(pair.socket);
  pair.say(data_type, "hello");
  std::string record = pair.record(data_type, "corrupt");
  record.back() = static_cast<char>(record.back() ^ 1);
  pair.peer->send(record);
  stage.settle();
  again.receive_multishot(pair.socket);
  send.send(pair.socket, "x");
  stage.settle();
  close_now(stage, pair.socket);
  return told(receive, again, send);
}

Story no_record(Stage& stage) {
  TlsPair pair(stage);
  Probe receive(stage, "receive");
  receive.receive_multishot(pair.socket);
  pair.peer->send("GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: none at all\r\n\r\n");
  stage.settle();
  close_now(stage, pair.socket);
  return told(receive);
}

// As an attacker would announce it, with the size of two records.
Story record_too_long(Stage& stage) {
  TlsPair pair(stage);
  Probe receive(stage, "receive");
  receive.receive_multishot(pair.socket);
  pair.peer->send(std::string("\x17\x03\x03\x7f\xff", 5) + std::string(64, 'x'));
  stage.settle();
  close_now(stage, pair.socket);
  return told(receive);
}

// A record without data is no reason to end a receive.
Story record_without_data(Stage& stage) {
  TlsPair pair(stage);
  Probe receive(stage, "receive");
  receive.receive_multishot(pair.socket);
  pair.say(data_type, "");
  stage.settle();
  pair.say(data_type, "hello");
  stage.settle();
  pair.peer->half_close();
  stage.settle();
  close_now(stage, pair.socket);
  return told(receive);
}

// Before Linux 6.14 the next record cannot be opened.
Story key_update_unknown(Stage& stage) {
  TlsPair pair(stage);
  Probe receive(stage, "receive");
  pair.say(handshake_type, key_update);
  pair.sealer = *RecordCipher::from(crypto_info(0x73));
  pair.say(data_type, "under the next key");
  stage.settle();
  Story story = TypedReceive(stage, pair.socket, 64).told();
  story.push_back(strerrorname_np(-pair.set_key(ring::TlsDirection::receive, crypto_info(0x73))));
  receive.receive_multishot(pair.socket);
  stage.settle();
  append(story, told(receive));
  close_now(stage, pair.socket);
  return story;
}

Story key_update_taken(Stage& stage) {
  TlsPair pair(stage);
  Probe receive(stage, "receive"), early(stage, "early"), late(stage, "late");
  receive.receive_multishot(pair.socket);
  pair.say(data_type, "hello");
  pair.say(handshake_type, key_update);
  pair.sealer = *RecordCipher::from(crypto_info(0x73));
  pair.say(data_type, "under the next key");
  stage.settle();
  Story story = told(receive);
  append(story, TypedReceive(stage, pair.socket, 64).told());
  early.receive_multishot(pair.socket);
  stage.settle();
  append(story, told(early));
  story.push_back(std::to_string(pair.set_key(ring::TlsDirection::receive, crypto_info(0x73))));
  late.receive_multishot(pair.socket);
  stage.settle();
  pair.peer->half_close();
  stage.settle();
  append(story, told(late));
  close_now(stage, pair.socket);
  return story;
}

}  // namespace

std::vector<Play> tls_receive_plays() {
  return {
      {"records that have queued join in a receive", records_join, {"receive 15", "one, two, three"}, Needs::tls},
      {"a record of 16 KiB fills smaller buffers",
       record_over_buffers,
       {"receive 16384 in buffers, more", "receive 0"},
       Needs::tls},
      {"the end inside a record", end_inside_record, {"receive 5 in buffers, more", "receive 0"}, Needs::tls},
      {"a reset after data",
       reset_after_data,
       {"receive 5 in buffers, more", "receive ECONNRESET", "again 0", "send 1", "next 1", "then 1", "last 0", "end 0"},
       Needs::tls},
      {"a reset while data waits",
       reset_with_data_waiting,
       {"receive 10 in buffers, more", "receive ECONNRESET", "again 0"},
       Needs::tls},
      {"both directions are shut under a receive of records",
       both_directions_shut,
       {"receive 0", "shutdown 0", "send 1", "next 1"},
       Needs::tls},
      {"the end is polled for", end_is_polled_for, {"waits through data", "an end"}, Needs::tls},
      {"a receive is cancelled inside a record",
       receive_cancelled,
       {"receive ECANCELED", "cancel 0", "again 5 in buffers, more", "again 0"},
       Needs::tls},
      {"an alert after data",
       alert_after_data,
       {"receive 5 in buffers, more", "receive EIO", "again EIO", "typed 21 of 2, ended", "rest 0"},
       Needs::tls},
      {"data with its type",
       data_with_type,
       {"typed 23 of 5, ended", "typed 21 of 2, ended", "typed none of 0"},
       Needs::tls},
      {"a record that is not data, in parts",
       control_record_in_parts,
       {"typed 22 of 2", "typed 22 of 3, ended"},
       Needs::tls},
      {"a receive with type waits", typed_receive_waits, {"waits", "typed 2", "type 21"}, Needs::tls},
      {"a record that is not authentic",
       corrupt_record,
       {"receive 5 in buffers, more", "receive EBADMSG", "again EBADMSG", "send EBADMSG"},
       Needs::tls},
      {"what is no record", no_record, {"receive EINVAL"}, Needs::tls},
      {"a record that is too long", record_too_long, {"receive EMSGSIZE"}, Needs::tls},
      {"a record without data", record_without_data, {"receive 5 in buffers, more", "receive 0"}, Needs::tls},
      {"a KeyUpdate, where a key is for ever",
       key_update_unknown,
       {"typed 22 of 5, ended", "EBUSY", "receive EBADMSG"},
       Needs::tls_with_one_key},
      {"a KeyUpdate, where a key can be replaced",
       key_update_taken,
       {"receive 5 in buffers, more", "receive EIO", "typed 22 of 5, ended", "early EKEYEXPIRED", "0",
        "late 18 in buffers, more", "late 0"},
       Needs::tls_with_second_key},
  };
}

}  // namespace ringwall::sim
