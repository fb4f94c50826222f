#include <ringwall/connection/tls_transport.h>

#include <ringwall/check.h>
#include <ringwall/connection/arena.h>
#include <ringwall/connection/connection.h>
#include <ringwall/connection/owned_slice.h>
#include <ringwall/tls/handshake.h>
#include <ringwall/tls/kernel_key.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace ringwall::connection {

namespace {

constexpr std::size_t pieces_per_record_max = 256;
static_assert(4 * (tls::record_plaintext_bytes_max + tls::record_overhead_bytes_max) <= Arena::block_bytes);
// Of the records of a key that can't be changed, the last eighth is for ending in order.
constexpr std::uint64_t last_records_divisor = 8;
constexpr std::uint64_t records_per_send_max = 17;  // a quarter of the shard's buffers, and one that is cut
constexpr std::byte alert_warning{1};
constexpr std::byte alert_fatal{2};
constexpr std::byte close_notify{0};

class ArenaOutput final : public tls::Output {
 public:
  ArenaOutput(Arena& arena, std::vector<ring::Slice>& out) : arena_(arena), out_(out) {}

  void append(std::span<const std::byte> ciphertext) override {
    while (!ciphertext.empty()) {
      const std::size_t part = std::min(ciphertext.size(), Arena::block_bytes);
      out_.push_back(arena_.copy(ciphertext.first(part)));
      ciphertext = ciphertext.subspan(part);
    }
  }

 private:
  Arena& arena_;
  std::vector<ring::Slice>& out_;
};

ControlRecord alert_record(std::byte level, std::byte description) {
  return {tls::ContentType::alert, 2, {level, description}};
}

}  // namespace

TlsTransport::TlsTransport(std::shared_ptr<const tls::Context> context, Resources& resources)
    : TlsTransport(std::make_unique<tls::Handshake>(std::move(context)), resources) {}

TlsTransport::TlsTransport(std::unique_ptr<tls::Handshaker> handshake, Resources& resources)
    : resources_(resources), handshake_(std::move(handshake)) {}

std::string_view TlsTransport::failure_text() const {
  return handshake_ ? std::string_view(handshake_->failure_text()) : records_->failure_text();
}

std::string_view TlsTransport::server_name() const {
  return handshake_ ? std::string_view(handshake_->server_name()) : server_name_;
}

TlsTransport::Progress TlsTransport::open(ring::Slice& wire, ring::Slice& plaintext, std::vector<ring::Slice>& out) {
  ArenaOutput output(resources_.arena, out);
  if (handshake_) {
    std::span<const std::byte> left = wire.bytes();
    const tls::Handshaker::Progress progress = handshake_->advance(left, output);
    wire.remove_prefix(wire.size() - left.size());
    if (progress == tls::Handshaker::Progress::need_input) return Progress::need_input;
    failure_ = handshake_->failure();
    if (progress == tls::Handshaker::Progress::failed) return Progress::failed;
    establish();
    return Progress::established;
  }
  tls::Records::Opened opened;
  std::span<std::byte> left = wire.bytes();
  const tls::Records::Progress progress = records_->open(left, opened, output);
  const auto take_off = [&] { wire.remove_prefix(wire.size() - left.size()); };
  switch (progress) {
    case tls::Records::Progress::need_input:
      take_off();
      return Progress::need_input;
    case tls::Records::Progress::plaintext:
      if (opened.memory) {
        plaintext = make_owned_slice(std::move(opened.memory), opened.plaintext, ring::Lifetime::turn);
      } else {
        plaintext = wire.share(opened.plaintext);
      }
      take_off();
      return Progress::plaintext;
    case tls::Records::Progress::closed:
      take_off();
      return Progress::ended;
    case tls::Records::Progress::failed:
      break;
  }
  failure_ = records_->failure();
  return Progress::failed;
}

void TlsTransport::establish() {
  const tls::Keys keys = handshake_->keys();
  const tls::Role role = handshake_->role();
  server_name_ = handshake_->server_name();
  resumed_ = handshake_->resumed();
  handshake_.reset();
  records_.emplace(keys, resources_.key_schedules, role);
  kernel_wanted_ = role == tls::Role::server && resources_.offload.uses_kernel(keys.version, keys.cipher);
}

// A key's use --------------------------------------------------------------------------------------------------------

bool TlsTransport::changes_keys() const {
  return records_->keys().version == tls::Version::tls13 && (!kernel_sends_ || resources_.offload.kernel_updates_keys);
}

std::uint64_t TlsTransport::records_sent() const { return records_->keys().send.sequence + kernel_records_; }

bool TlsTransport::is_exhausted() const {
  return !changes_keys() && records_sent() + 1 >= resources_.offload.records_per_key;
}

std::uint64_t TlsTransport::records_before_the_last() const {
  const std::uint64_t most = resources_.offload.records_per_key;
  return most - most / last_records_divisor;
}

bool TlsTransport::is_spent() const {
  return records_ && !changes_keys() && records_sent() >= records_before_the_last();
}

bool TlsTransport::seal(std::vector<ring::Slice>& queue, std::size_t bytes_max, std::vector<ring::Slice>& out) {
  if (failure_.reason != tls::FailureReason::none) return false;
  RINGWALL_CHECK(is_established());
  // Not an array of spans: to set all of them costs as much as to seal a short record.
  using Piece = std::span<const std::byte>;
  alignas(Piece) std::array<std::byte, pieces_per_record_max * sizeof(Piece)> memory;
  Piece* const pieces = reinterpret_cast<Piece*>(memory.data());
  if (!changes_keys()) bytes_max = std::min(bytes_max, send_bytes_max());
  std::size_t first = 0;
  std::size_t sealed = 0;
  while (first < queue.size() && sealed < bytes_max && resources_.arena.has_room()) {
    // One more is left for the KeyUpdate itself, or for a close_notify.
    if (!may_send()) return false;
    if (records_sent() + 1 >= resources_.offload.records_per_key) {
      ArenaOutput output(resources_.arena, out);
      records_->update_send_key(output);
    }
    std::size_t count = 0;
    std::size_t bytes = 0;
    std::size_t cut = 0;  // bytes of the piece that goes on in the next record
    for (; first + count < queue.size() && count < pieces_per_record_max && bytes < tls::record_plaintext_bytes_max;
         ++count) {
      const std::span<const std::byte> piece = queue[first + count].bytes();
      const std::size_t part = std::min(piece.size(), tls::record_plaintext_bytes_max - bytes);
      std::construct_at(pieces + count, piece.first(part));
      bytes += part;
      cut = part < piece.size() ? part : 0;
    }
    const std::span<std::byte> to = resources_.arena.reserve(bytes + tls::record_overhead_bytes_max);
    const std::size_t record_bytes = records_->seal(std::span(pieces, count), to);
    out.push_back(resources_.arena.commit(record_bytes));
    sealed += bytes;
    first += cut > 0 ? count - 1 : count;
    if (cut > 0) queue[first].remove_prefix(cut);
  }
  queue.erase(queue.begin(), queue.begin() + static_cast<std::ptrdiff_t>(first));
  return true;
}

void TlsTransport::close(std::vector<ring::Slice>& out) {
  if (kernel_sends_) {
    close_due_ = true;
    return;
  }
  ArenaOutput output(resources_.arena, out);
  records_->close(output);
}

// The kernel's part --------------------------------------------------------------------------------------------------

bool TlsTransport::may_use_kernel() const {
  return failure_.reason == tls::FailureReason::none &&
         (handshake_ ? !speaks_first() && resources_.offload.uses_kernel() : kernel_wanted_);
}

std::optional<std::size_t> TlsTransport::receive_at_most() const {
  if (kernel_receives_ || !may_use_kernel()) return std::nullopt;
  return records_ ? records_->bytes_missing() : 0;
}

bool TlsTransport::set_key(ring::TlsDirection direction, ring::Backend& backend, int socket) {
  const tls::Keys& keys = records_->keys();
  const tls::Key& key = direction == ring::TlsDirection::send ? keys.send : keys.receive;
  {
    const tls::KernelKey kernel_key(key, keys.version, keys.cipher);
    if (backend.set_tls_key(socket, direction, kernel_key.crypto_info()) != 0) return false;
  }
  const bool may_advance = keys.version == tls::Version::tls13 && resources_.offload.kernel_updates_keys;
  if (direction == ring::TlsDirection::send) {
    records_->forget_send_key(may_advance);
  } else {
    records_->forget_receive_key(may_advance);
  }
  return true;
}

void TlsTransport::note_bad_record(int number) {
  using tls::Fault;
  (void)records_->post_handshake().fail(number == EMSGSIZE ? Fault::record_too_long
                                        : number == EINVAL ? Fault::record_version
                                                           : Fault::record_tag);
  failure_ = records_->failure();
  alert_due_ = true;
}

bool TlsTransport::may_send() {
  if (!is_exhausted()) return true;
  failure_.reason = tls::FailureReason::internal;
  return false;
}

// The receiving side goes first: until the kernel has that, all goes on in user space as if nothing had been tried.
void TlsTransport::offer_receiving(ring::Backend& backend, int socket) {
  if (!records_ || kernel_receives_ || !may_use_kernel() || records_->bytes_missing() > 0) return;
  kernel_receives_ = backend.attach_tls(socket) == 0 && set_key(ring::TlsDirection::receive, backend, socket);
  kernel_wanted_ = kernel_receives_;
}

bool TlsTransport::offer_sending(ring::Backend& backend, int socket) {
  if (kernel_sends_ || !kernel_receives_) return true;
  if (failure_.reason != tls::FailureReason::none && !alert_due_) return true;
  kernel_sends_ = set_key(ring::TlsDirection::send, backend, socket);
  return kernel_sends_;
}

TlsTransport::Progress TlsTransport::take_record(std::uint8_t type, std::span<const std::byte> content,
                                                 ring::Backend& backend, int socket) {
  using Due = tls::PostHandshake::Due;
  switch (const Due due = records_->post_handshake().take(type, content)) {
    case Due::nothing: {
      const bool is_data = type == static_cast<std::uint8_t>(tls::ContentType::application_data);
      return is_data && !content.empty() ? Progress::plaintext : Progress::need_input;
    }
    case Due::closed:
      return Progress::ended;
    case Due::update_receive:
    case Due::update_both:
      if (!resources_.offload.kernel_updates_keys) return Progress::spent;
      records_->advance_receive_key();
      if (!set_key(ring::TlsDirection::receive, backend, socket)) return Progress::spent;
      update_due_ = update_due_ || due == Due::update_both;
      return Progress::need_input;
    case Due::refuse_renegotiation:
      no_renegotiation_due_ = true;
      return Progress::need_input;
    case Due::fail:
      break;
  }
  failure_ = records_->failure();
  alert_due_ = failure_.alert_sent.has_value();
  return Progress::failed;
}

std::size_t TlsTransport::send_bytes_max() const {
  const std::uint64_t sent = records_sent();
  const std::uint64_t until =
      sent < records_before_the_last() ? records_before_the_last() : resources_.offload.records_per_key - 1;
  const std::uint64_t records = std::min<std::uint64_t>(until - std::min(sent, until - 1), records_per_send_max);
  return records * tls::record_plaintext_bytes_max - 1;
}

void TlsTransport::count_sent(std::size_t bytes) {
  kernel_records_ += 1 + bytes / tls::record_plaintext_bytes_max;
  update_due_ = update_due_ || (changes_keys() && records_sent() >= records_before_the_last());
}

std::optional<ControlRecord> TlsTransport::control_due(bool data_waits) const {
  if (alert_due_ && !data_waits) return alert_record(alert_fatal, std::byte{*failure_.alert_sent});
  if (update_due_) {
    ControlRecord update{tls::ContentType::handshake, tls::key_update_message.size(), {}};
    std::ranges::copy(std::as_bytes(std::span(tls::key_update_message)), update.content.begin());
    return update;
  }
  if (no_renegotiation_due_) return alert_record(alert_warning, std::byte{tls::alert::no_renegotiation});
  if (close_due_ && !data_waits) return alert_record(alert_warning, close_notify);
  return std::nullopt;
}

bool TlsTransport::control_sent(const ControlRecord& record, ring::Backend& backend, int socket) {
  ++kernel_records_;
  if (record.type == tls::ContentType::handshake) {
    update_due_ = false;
    kernel_records_ = 0;
    records_->advance_send_key();
    return set_key(ring::TlsDirection::send, backend, socket);
  }
  if (record.content[0] == alert_fatal) {
    alert_due_ = false;
  } else if (record.content[1] == close_notify) {
    close_due_ = false;
  } else {
    no_renegotiation_due_ = false;
  }
  return true;
}

}  // namespace ringwall::connection
