#include "sim/kernel/tls_layer.h"

#include "sim/kernel/world.h"

#include <linux/tls.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace ringwall::sim {

namespace {

constexpr std::uint8_t handshake = 22;
constexpr std::byte key_update{24};
// Linux sends what is left from a work queue.
constexpr std::uint64_t flush_delay_ns_max = 50 * microsecond;

}  // namespace

int TlsLayer::set_key(ring::TlsDirection direction, std::span<const std::byte> crypto_info) {
  const bool is_send = direction == ring::TlsDirection::send;
  std::optional<RecordCipher>& key = is_send ? send_ : receive_;
  const std::optional<RecordCipher>& other = is_send ? receive_ : send_;
  if (key && (!allows_second_key_ || key->version() != TLS_1_3_VERSION)) return -EBUSY;
  std::optional<RecordCipher> next = RecordCipher::from(crypto_info);
  if (!next) return -EINVAL;
  for (const std::optional<RecordCipher>* const same : {&other, std::as_const(key) ? &std::as_const(key) : &other}) {
    if (*same && ((*same)->version() != next->version() || (*same)->cipher_type() != next->cipher_type())) {
      return -EINVAL;
    }
  }
  key = std::move(next);
  if (!is_send) key_has_expired_ = false;
  return 0;
}

long TlsLayer::fail(int number) {
  is_failed_ = true;
  record_error_ = failure_ = number;
  return -number;
}

// Receiving
// ------------------------------------------------------------------------------------------------------------

long TlsLayer::fetch_bytes(std::size_t until) {
  while (wire_.size() < until) {
    const std::size_t had = wire_.size();
    wire_.resize(until);
    const long count = endpoint_.read(std::span(wire_).subspan(had));
    wire_.resize(had + static_cast<std::size_t>(std::max(count, 0L)));
    if (count > 0) continue;
    if (count < 0 && count != -EAGAIN) error_ = static_cast<int>(-count);
    return error_ != 0 ? -error_ : count;
  }
  return 1;
}

long TlsLayer::fetch_record() {
  if (is_failed_) return fail(failure_);
  if (key_has_expired_) return -EKEYEXPIRED;
  if (const long result = fetch_bytes(RecordCipher::header_bytes); result != 1) return result;
  const std::size_t body_bytes = std::to_integer<std::size_t>(wire_[3]) << 8 | std::to_integer<std::size_t>(wire_[4]);
  if (body_bytes > RecordCipher::plaintext_bytes_max + receive_->overhead_bytes()) return fail(EMSGSIZE);
  if (body_bytes < receive_->overhead_bytes()) return fail(EBADMSG);
  if (wire_[1] != std::byte{3} || wire_[2] != std::byte{3}) return fail(EINVAL);
  if (const long result = fetch_bytes(RecordCipher::header_bytes + body_bytes); result != 1) return result;
  record_ = receive_->open(wire_);
  wire_.clear();
  record_taken_ = 0;
  if (!record_) return fail(EBADMSG);
  const bool is_key_update =
      record_->type == handshake && !record_->bytes.empty() && record_->bytes.front() == key_update;
  key_has_expired_ = is_key_update && allows_second_key_ && receive_->version() == TLS_1_3_VERSION;
  return 1;
}

long TlsLayer::read(std::span<std::byte> into, RecordNote* note) {
  std::size_t copied = 0;
  std::optional<std::uint8_t> type;
  while (copied < into.size()) {
    if (!record_) {
      const long result = fetch_record();
      if (result != 1 && type) return static_cast<long>(copied);
      if (result < 0 && result == -error_) error_ = 0;
      if (result != 1) return result;
    }
    if (type && type != record_->type) break;
    if (record_->type != application_data && note == nullptr) return type ? static_cast<long>(copied) : -EIO;
    type = record_->type;
    const auto rest = std::span(record_->bytes).subspan(record_taken_);
    const auto taken = rest.first(std::min(rest.size(), into.size() - copied));
    std::ranges::copy(taken, into.subspan(copied).begin());
    copied += taken.size();
    record_taken_ += taken.size();
    const bool ended = record_taken_ == record_->bytes.size();
    if (note != nullptr) *note = {.type = type, .ended_record = ended};
    if (!ended) break;
    record_.reset();
    if (type != application_data) break;
    // A record without data is no answer to who waits for some.
    if (copied == 0) type.reset();
  }
  return static_cast<long>(copied);
}

// Sending
// --------------------------------------------------------------------------------------------------------------

void TlsLayer::flush() {
  if (!endpoint_.is_established()) return unsent_.clear();  // its error is told to who asks, not to this
  while (!unsent_.empty()) {
    const long count = endpoint_.write(unsent_.front(unsent_.size()));
    if (count == -EAGAIN) return;
    if (count <= 0) return unsent_.clear();
    unsent_.drop(static_cast<std::size_t>(count));
  }
}

void TlsLayer::push_record(std::uint8_t type) {
  unsent_.append(send_->seal(type, open_));
  open_.clear();
  flush();
}

long TlsLayer::write(std::span<const std::byte> from, std::uint8_t type, bool more_follows) {
  if (record_error_ != 0) return -record_error_;
  // A send tells an error and leaves it there for a receive.
  if (error_ != 0) return -error_;
  if (endpoint_.error() != 0) return -endpoint_.error();
  if (endpoint_.write({}) == -EPIPE) return static_cast<long>(from.size());
  flush();
  std::size_t taken = 0;
  if (type != application_data && !open_.empty()) push_record(application_data);
  while (taken < from.size()) {
    if (!unsent_.empty() || endpoint_.space() == 0) return taken > 0 ? static_cast<long>(taken) : -EAGAIN;
    const std::size_t count = std::min(from.size() - taken, RecordCipher::plaintext_bytes_max - open_.size());
    open_.insert(open_.end(), from.begin() + static_cast<std::ptrdiff_t>(taken),
                 from.begin() + static_cast<std::ptrdiff_t>(taken + count));
    taken += count;
    if (open_.size() == RecordCipher::plaintext_bytes_max || (taken == from.size() && !more_follows)) {
      push_record(type);
    }
  }
  return static_cast<long>(taken);
}

void TlsLayer::changed() {
  if (unsent_.empty() || std::exchange(flush_due_, true)) return;
  world_.events().after(world_.random().below(flush_delay_ns_max), [weak = weak_from_this()] {
    if (const auto self = weak.lock()) {
      self->flush_due_ = false;
      self->flush();
    }
  });
}

void TlsLayer::close() {
  if (!sends() || is_failed_) return;
  flush();
  if (!open_.empty() && unsent_.empty()) push_record(application_data);
}

}  // namespace ringwall::sim
