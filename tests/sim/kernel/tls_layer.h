// tls_layer.h: what Linux's TLS does with a connection that it was attached to, between its requests and TCP.
//
// As there: a direction is plain until it gets its key. A send becomes records of at most 16 KiB; the last may wait
// behind TCP's buffer though its bytes count as sent (and SIOCOUTQ does not), and is lost if the program shuts the
// direction or closes before it has gone. Several records of data join in one receive; a record of another type is
// given out alone, and only to who asks for its type. What is wrong with a record ends both directions. Where plain TCP
// says -EPIPE, after a shutdown or a reset that was told, a send counts as sent.
//
// Owner: the File. Source: net/tls/tls_sw.c, tls_strp.c and tls_main.c of Linux 6.1, for a second key of 6.14; the
// plays of tls_receive_plays.cc and tls_send_plays.cc were given on 6.1, 6.12 and 7.2.
#pragma once

#include <ringwall/ring/backend.h>

#include "sim/kernel/byte_queue.h"
#include "sim/kernel/record_cipher.h"
#include "sim/kernel/tcp.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace ringwall::sim {

class World;

// What a receive with room for TLS_GET_RECORD_TYPE is told beside bytes.
struct RecordNote {
  std::optional<std::uint8_t> type{};
  bool ended_record = false;  // MSG_EOR
};

class TlsLayer : public std::enable_shared_from_this<TlsLayer> {
 public:
  static constexpr std::uint8_t application_data = 23;

  // `allows_second_key`: as Linux does since 6.14, for TLS 1.3.
  TlsLayer(World& world, Endpoint& endpoint, bool allows_second_key)
      : world_(world), endpoint_(endpoint), allows_second_key_(allows_second_key) {}

  [[nodiscard]] int set_key(ring::TlsDirection direction, std::span<const std::byte> crypto_info);
  [[nodiscard]] bool sends() const { return send_.has_value(); }
  [[nodiscard]] bool receives() const { return receive_.has_value(); }

  // As Endpoint's. Without a `note`, a record that is not data is -EIO.
  [[nodiscard]] long read(std::span<std::byte> into, RecordNote* note);
  [[nodiscard]] long write(std::span<const std::byte> from, std::uint8_t type, bool more_follows);
  [[nodiscard]] bool is_readable() const { return record_ || is_failed_ || error_ != 0 || endpoint_.is_readable(); }

  // What a record that could not be opened left on the socket for whoever asks next; a send does not take it away.
  [[nodiscard]] int take_error() { return std::exchange(record_error_, 0); }

  // The endpoint may have become writable.
  void changed();
  // The File goes: what has no room now is lost.
  void close();

 private:
  // 1: record_ is there. Otherwise what a read gives that finds nothing.
  [[nodiscard]] long fetch_record();
  [[nodiscard]] long fetch_bytes(std::size_t until);
  [[nodiscard]] long fail(int number);
  void flush();
  void push_record(std::uint8_t type);

  World& world_;
  Endpoint& endpoint_;
  const bool allows_second_key_;
  std::optional<RecordCipher> send_;
  std::optional<RecordCipher> receive_;
  std::vector<std::byte> wire_;  // the part of a record that has come
  std::optional<RecordCipher::Record> record_;
  std::size_t record_taken_ = 0;  // of its bytes
  std::vector<std::byte> open_;   // the record that MSG_MORE left open
  ByteQueue unsent_;              // ciphertext that TCP had no room for
  int error_ = 0;                 // Linux's sk_err, as far as the endpoint does not have it
  int failure_ = 0;               // of a record: for good
  int record_error_ = 0;          // Linux's sk_err for it
  bool is_failed_ = false;
  bool key_has_expired_ = false;  // a KeyUpdate was given out, and no key since
  bool flush_due_ = false;
};

}  // namespace ringwall::sim
