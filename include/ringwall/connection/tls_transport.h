// tls_transport.h: what stands between a TLS socket's bytes and a session's bytes.
//
// A connection without a transport is plain TCP, at no cost. With one, what arrives is opened and what leaves is
// sealed: by wolfSSL during the handshake, of which nothing is kept; then by records of our own (tls/records.h); and
// where the settings say so by the kernel, which is given each direction when it stands between two records. The
// transport does no I/O but for that, and keeps no plaintext. Owner: one Connection; thread: its shard's.
#pragma once

#include <ringwall/ring/backend.h>
#include <ringwall/ring/slice.h>
#include <ringwall/tls/context.h>
#include <ringwall/tls/handshaker.h>
#include <ringwall/tls/records.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ringwall::connection {

struct Resources;

// What is said beside data where the kernel makes the records.
struct ControlRecord {
  tls::ContentType type = tls::ContentType::alert;
  std::uint8_t bytes = 0;
  std::array<std::byte, 5> content{};
};

class TlsTransport {
 public:
  enum class Progress : std::uint8_t {
    need_input,   // nothing is left
    established,  // told once: the handshake is over, what is left in `wire` belongs to the session
    plaintext,    // `plaintext` holds bytes for the session; call again
    ended,        // the peer has closed its direction in order
    spent,        // no more can be read: the peer has changed its key, and the kernel does not take another
    failed,       // failure() says why; what the peer is to be told of it is on its way
  };

  // Of a server. Resources outlive the transport.
  TlsTransport(std::shared_ptr<const tls::Context> context, Resources& resources);
  // Of either side, as the handshake is.
  TlsTransport(std::unique_ptr<tls::Handshaker> handshake, Resources& resources);
  TlsTransport(const TlsTransport&) = delete;
  TlsTransport& operator=(const TlsTransport&) = delete;

  // Takes bytes off the front of `wire` and may overwrite them: `plaintext` may lie in it. Answers (of the handshake,
  // alerts, KeyUpdates) are appended to `out`.
  [[nodiscard]] Progress open(ring::Slice& wire, ring::Slice& plaintext, std::vector<ring::Slice>& out);

  // Takes bytes off the front of `queue`, up to `bytes_max` and as far as the arena has room, and appends the records
  // to `out`. False: failed.
  [[nodiscard]] bool seal(std::vector<ring::Slice>& queue, std::size_t bytes_max, std::vector<ring::Slice>& out);

  // Says that nothing more will come from us, once.
  void close(std::vector<ring::Slice>& out);

  // A client's, before its ClientHello: open() is due, with an empty `wire`.
  [[nodiscard]] bool speaks_first() const { return handshake_ && handshake_->role() == tls::Role::client; }
  [[nodiscard]] bool is_established() const { return records_.has_value(); }
  [[nodiscard]] bool is_plain_http() const { return failure_.reason == tls::FailureReason::plain_http; }
  [[nodiscard]] const tls::Failure& failure() const { return failure_; }
  [[nodiscard]] std::string_view failure_text() const;  // one line for a log
  // Once it is established.
  [[nodiscard]] bool resumed() const { return resumed_; }
  [[nodiscard]] tls::Version version() const { return records_->keys().version; }
  [[nodiscard]] tls::Cipher cipher() const { return records_->keys().cipher; }
  [[nodiscard]] std::string_view server_name() const;  // lower case; empty: the client named none
  // The key that we send with can't be changed, and an eighth of the records of tls.records_per_key is left: the
  // connection is to be ended in order.
  [[nodiscard]] bool is_spent() const;

  // The kernel's part ---------------------------------------------------------------------------------------------

  // Nothing: receive as much ahead as there is. A number: receive once, at most so many bytes (0: a buffer), for what
  // comes behind them may be the kernel's.
  [[nodiscard]] std::optional<std::size_t> receive_at_most() const;
  // While no receive is in flight and all that was received has been opened.
  void offer_receiving(ring::Backend& backend, int socket);
  // While nothing sealed is on its way. False: the kernel has one direction and refuses the other.
  [[nodiscard]] bool offer_sending(ring::Backend& backend, int socket);
  [[nodiscard]] bool receives_in_kernel() const { return kernel_receives_; }
  [[nodiscard]] bool sends_in_kernel() const { return kernel_sends_; }

  // What the kernel gave out: `plaintext` says that `content` is the session's. Several records of application data may
  // be joined.
  [[nodiscard]] Progress take_record(std::uint8_t type, std::span<const std::byte> content, ring::Backend& backend,
                                     int socket);
  // The kernel could not open a record: why (EBADMSG, EINVAL, EMSGSIZE).
  void note_bad_record(int number);
  // Before the kernel is given data. False: its key is used up but for a last word.
  [[nodiscard]] bool may_send();
  // Of one send: a turn's share, and no more than the records that are left before the key is nearly used up.
  [[nodiscard]] std::size_t send_bytes_max() const;
  // Bytes that the kernel has taken to send.
  void count_sent(std::size_t bytes);
  // What is to be said beside data while none is being sent; where some waits, what may go before it. Then, that it was
  // sent; false: as above.
  [[nodiscard]] std::optional<ControlRecord> control_due(bool data_waits) const;
  [[nodiscard]] bool control_sent(const ControlRecord& record, ring::Backend& backend, int socket);

 private:
  void establish();
  [[nodiscard]] bool may_use_kernel() const;
  [[nodiscard]] bool set_key(ring::TlsDirection direction, ring::Backend& backend, int socket);
  [[nodiscard]] std::uint64_t records_sent() const;
  [[nodiscard]] bool changes_keys() const;
  [[nodiscard]] bool is_exhausted() const;
  [[nodiscard]] std::uint64_t records_before_the_last() const;

  Resources& resources_;
  std::unique_ptr<tls::Handshaker> handshake_;
  std::optional<tls::Records> records_;
  std::string server_name_;
  std::uint64_t kernel_records_ = 0;  // at most so many, under the present key
  tls::Failure failure_;
  bool resumed_ = false;
  bool kernel_wanted_ = false;
  bool kernel_receives_ = false;
  bool kernel_sends_ = false;
  // To be said by control records, each once.
  bool update_due_ = false;
  bool no_renegotiation_due_ = false;
  bool close_due_ = false;
  bool alert_due_ = false;  // failure_.alert_sent
};

}  // namespace ringwall::connection
