// The sending half of a Connection: queue, seal, offer once, and the backlog of a reader that is behind.
#include <ringwall/connection/connection.h>

#include <ringwall/connection/owned_slice.h>

#include "control.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

namespace ringwall::connection {

namespace {

constexpr std::size_t gather_pieces_max = 256;  // iovecs of one send; the kernel's own bound is 1,024
constexpr std::size_t hoarders_divisor = 8;     // of the backlog: the last eighth is kept free
// A socket of Linux has room for another record then: it buffers 46 KiB or more, of some truesize.
constexpr std::size_t unacknowledged_at_end_max = 4096;
constexpr std::uint64_t room_check_ns = 10'000'000;
constexpr std::size_t seal_bytes_per_turn = 256 * 1024;  // of one connection: a quarter of the shard's buffers

std::span<const std::byte> as_bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

// Memory for a msghdr: of the turn, or for a send that waits longer and may not keep a block of the arena.
ring::Slice aligned_memory(Arena& arena, std::size_t bytes) {
  const std::span<std::byte> memory = arena.reserve(bytes + alignof(msghdr));
  const std::size_t misaligned = reinterpret_cast<std::uintptr_t>(memory.data()) % alignof(msghdr);
  const std::size_t skip = misaligned == 0 ? 0 : alignof(msghdr) - misaligned;
  ring::Slice slice = arena.commit(skip + bytes);
  slice.remove_prefix(skip);
  return slice;
}

ring::Slice own_memory(std::size_t bytes) {
  auto memory = std::make_unique<std::byte[]>(bytes);
  const std::span<std::byte> all(memory.get(), bytes);
  return make_owned_slice(std::move(memory), all);
}

bool is_send_error(int result) {
  return result < 0 && result != -EAGAIN && result != -EINTR && result != -ENOBUFS && result != -ECANCELED;
}

// Memory of a turn of many small pieces is not kept.
void trim(std::vector<ring::Slice>& pieces) {
  if (pieces.capacity() > Connection::pieces_kept_max && pieces.size() <= pieces.capacity() / 4) pieces.shrink_to_fit();
}

}  // namespace

void Connection::send(ring::Slice bytes) {
  if (state_ != State::open || bytes.empty()) return;
  queue_.push_back(std::move(bytes));
  mark_for_flush();
}

void Connection::send_copy(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const std::size_t part = std::min(bytes.size(), Arena::block_bytes);
    send(resources_.arena.copy(bytes.first(part)));
    bytes = bytes.subspan(part);
  }
}

void Connection::send_copy(std::string_view text) { send_copy(as_bytes(text)); }

void Connection::mark_for_flush() {
  if (std::exchange(flush_marked_, true)) return;
  resources_.to_flush.push_back(this);
}

void Connection::flush() {
  flush_marked_ = false;
  if (state_ != State::open && state_ != State::finishing) return;
  if (send_.in_flight()) {
    // The transport may have added an answer of its own behind what waits.
    if (!move_to_backlog(queue_) || (send_waits_ && !move_to_backlog(wire_))) fail(Failure::backlog_full, ENOBUFS);
    return;
  }
  if (transport_ && wire_.empty() && !transport_->offer_sending(resources_.ring.backend(), socket_)) {
    return fail(Failure::system, EIO);
  }
  seal_queue();
  tell_if_spent();
  if (state_ != State::open && state_ != State::finishing) return;
  if (submit_control()) return;
  if (!wire_.empty()) return submit_send(false);
  if (state_ == State::finishing && queue_.empty()) shut_down_sending();
}

void Connection::seal_queue() {
  if (!transport_ || transport_->sends_in_kernel()) {
    if (transport_ && !queue_.empty() && !transport_->may_send()) return fail(Failure::transport, 0);
    if (transport_ && state_ == State::finishing && !std::exchange(close_noticed_, true)) transport_->close(wire_);
    if (wire_.empty()) {
      wire_.swap(queue_);
    } else {
      std::ranges::move(queue_, std::back_inserter(wire_));
      queue_.clear();
    }
    return trim(queue_);
  }
  if (!queue_.empty() && !transport_->seal(queue_, seal_bytes_per_turn, wire_)) return fail(Failure::transport, 0);
  trim(queue_);
  if (!queue_.empty()) {
    if (!move_to_backlog(queue_)) return fail(Failure::backlog_full, ENOBUFS);
    flush_marked_ = true;
    resources_.to_flush_next.push_back(this);
    fall_behind();
  } else if (state_ == State::finishing && !std::exchange(close_noticed_, true)) {
    transport_->close(wire_);
  }
}

bool Connection::move_to_backlog(std::vector<ring::Slice>& pieces) {
  const auto is_borrowed = [](const ring::Slice& piece) { return piece.block()->lifetime() == ring::Lifetime::turn; };
  for (auto first = std::ranges::find_if(pieces, is_borrowed); first != pieces.end();
       first = std::find_if(first, pieces.end(), is_borrowed)) {
    const auto last = std::find_if_not(first, pieces.end(), is_borrowed);
    std::optional<ring::Slice> copy = copy_to_backlog({first, last}, resources_.backlog, share_);
    if (!copy) return false;
    resources_.counters.backlog_copies += copy->size();
    *first = std::move(*copy);
    first = pieces.erase(first + 1, last);
  }
  trim(pieces);
  return true;
}

// The first offer does not wait, so that its buffers are free when it completes, in this very enter.
void Connection::submit_send(bool wait) {
  send_waits_ = wait;
  const int flags = MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT);
  std::size_t left = transport_ && transport_->sends_in_kernel() ? transport_->send_bytes_max() : SIZE_MAX;
  if (wire_.size() == 1) {
    const std::span<const std::byte> bytes = wire_.front().bytes();
    io_uring_prep_send(&resources_.ring.prepare(send_), socket_, bytes.data(), std::min(bytes.size(), left), flags);
    return;
  }
  std::array<iovec, gather_pieces_max> parts;
  std::size_t count = 0;
  for (; count < std::min(wire_.size(), parts.size()) && left > 0; ++count) {
    const std::span<std::byte> bytes = wire_[count].bytes();
    parts[count] = {bytes.data(), std::min(bytes.size(), left)};
    left -= parts[count].iov_len;
  }
  const std::size_t table_bytes = sizeof(msghdr) + count * sizeof(iovec);
  gather_ = wait ? own_memory(table_bytes) : aligned_memory(resources_.arena, table_bytes);
  std::byte* at = gather_.bytes().data();
  msghdr header{};
  header.msg_iov = reinterpret_cast<iovec*>(at + sizeof header);
  header.msg_iovlen = count;
  std::memcpy(at, &header, sizeof header);
  std::memcpy(at + sizeof header, parts.data(), count * sizeof(iovec));
  io_uring_prep_sendmsg(&resources_.ring.prepare(send_), socket_, reinterpret_cast<const msghdr*>(at),
                        static_cast<unsigned>(flags));
}

// What the kernel is to seal beside data, while no data is on its way: it may wait, in memory of its own.
bool Connection::submit_control() {
  const std::optional<ControlRecord> record = transport_ ? transport_->control_due(!wire_.empty()) : std::nullopt;
  if (!record || !transport_->sends_in_kernel()) return false;
  const bool is_last = state_ == State::finishing && record->type == tls::ContentType::alert && wire_.empty();
  if (is_last && wait_for_room()) return true;
  if (!move_to_backlog(wire_)) {
    fail(Failure::backlog_full, ENOBUFS);
    return true;
  }
  waits_for_room_ = false;
  control_send_ = std::make_unique<ControlSend>();
  control_send_->record = *record;
  const auto content = std::span<const std::byte>(control_send_->record.content).first(record->bytes);
  control_send_->message.prepare_send(resources_.ring.prepare(send_), socket_, static_cast<std::uint8_t>(record->type),
                                      content);
  send_waits_ = true;
  start_send_timer();
  return true;
}

// The kernel's TLS takes a record whole though TCP has room for a part of it, and a shutdown or close loses the rest.
// So the last words are said when there is room for all: each record pushes those before it.
bool Connection::wait_for_room() {
  const std::size_t unacknowledged = resources_.ring.backend().unacknowledged_bytes(socket_);
  if (unacknowledged <= unacknowledged_at_end_max) return false;
  const std::uint64_t now_ns = resources_.ring.now_ns();
  if (room_due_ns_ == 0 || unacknowledged < unacknowledged_) {
    unacknowledged_ = unacknowledged;
    room_due_ns_ = now_ns + resources_.send_timeout_ns;
  }
  if (now_ns >= room_due_ns_) {
    abort();
  } else {
    waits_for_room_ = true;
    resources_.ring.timers().start(timer_, now_ns + room_check_ns);
  }
  return true;
}

void Connection::on_control_sent(const ring::Completion& completion) {
  const std::unique_ptr<ControlSend> sent = std::move(control_send_);
  if (state_ == State::joining) return close_if_joined();
  timer_.stop();
  if (completion.result > 0) {
    const bool whole = completion.result == int{sent->record.bytes};
    if (!whole || !transport_->control_sent(sent->record, resources_.ring.backend(), socket_)) {
      return fail(Failure::system, EIO);
    }
  } else if (is_send_error(completion.result)) {
    return send_failed(-completion.result);
  }
  mark_for_flush();
}

void Connection::wire_taken(std::size_t bytes) {
  bytes_sent_ += bytes;
  byte_counters().sent += bytes;
  if (transport_ && transport_->sends_in_kernel()) transport_->count_sent(bytes);
  std::size_t whole = 0;
  while (bytes > 0) {
    RINGWALL_CHECK(whole < wire_.size());
    ring::Slice& piece = wire_[whole];
    if (bytes < piece.size()) {
      piece.remove_prefix(bytes);
      break;
    }
    bytes -= piece.size();
    ++whole;
  }
  wire_.erase(wire_.begin(), wire_.begin() + static_cast<std::ptrdiff_t>(whole));
  trim(wire_);
}

void Connection::on_send(const ring::Completion& completion) {
  gather_.reset();
  if (control_send_) return on_control_sent(completion);
  if (state_ == State::joining) return close_if_joined();
  const int result = completion.result;
  if (result > 0) {
    wire_taken(static_cast<std::size_t>(result));
  } else if (is_send_error(result)) {
    return send_failed(-result);
  }
  if (!wire_.empty()) {
    return wait_for_reader(result > 0);
  }
  if (state_ == State::finishing || !queue_.empty() || (transport_ && transport_->control_due(false))) mark_for_flush();
  if (congested_ && queue_.empty()) {
    set_congested(false);
    timer_.stop();
    if (state_ == State::open) owner_->on_drained(*this);
  }
}

void Connection::send_failed(int number) {
  // A broken record of the peer's: whoever asks first is told. What was to be sent has not been.
  if (transport_ && transport_->receives_in_kernel() && number == EBADMSG) {
    bad_record(number);
    if (!move_to_backlog(wire_)) return fail(Failure::backlog_full, ENOBUFS);
    return mark_for_flush();
  }
  fail(number == EPIPE || number == ECONNRESET || number == ETIMEDOUT ? Failure::reset : Failure::system, number);
}

void Connection::tell_if_spent() {
  if (transport_ && state_ == State::open && transport_->is_spent()) owner_->on_spent(*this, Spent::sending);
}

void Connection::wait_for_reader(bool progressed) {
  if (transport_ && transport_->sends_in_kernel() && !transport_->may_send()) {
    wire_.clear();  // not sealed yet, and it will not be
    return fail(Failure::transport, 0);
  }
  if (!move_to_backlog(wire_)) return fail(Failure::backlog_full, ENOBUFS);
  tell_if_spent();
  if (!submit_control()) submit_send(true);
  if (state_ != State::open && state_ != State::finishing) return;
  if (progressed || !timer_.is_running()) start_send_timer();
  if (!congested_) ++resources_.counters.sends_short;
  fall_behind();
}

void Connection::fall_behind() {
  if (congested_) return;
  set_congested(true);
  if (state_ == State::open) owner_->on_congested(*this);
}

std::size_t Connection::backlog_bytes() const {
  std::size_t bytes = 0;
  for (const std::vector<ring::Slice>* pieces : {&queue_, &wire_}) {
    for (const ring::Slice& piece : *pieces) {
      if (piece.block()->lifetime() == ring::Lifetime::backlog) bytes += piece.size();
    }
  }
  return bytes;
}

void Connection::set_congested(bool congested) {
  if (std::exchange(congested_, congested) == congested) return;
  std::vector<Connection*>& behind = resources_.behind;
  if (congested) {
    behind_index_ = behind.size();
    behind.push_back(this);
    return;
  }
  behind.back()->behind_index_ = behind_index_;
  behind[behind_index_] = behind.back();
  behind.pop_back();
}

// When the backlog is nearly spent, of the address that has most the reader goes for whom most waits: rather than the
// next who needs a little. What is left of the budget is for the turns until that memory is back.
void Resources::drop_hoarders() {
  while (backlog.used() > bytes_dropping + backlog.bytes_max() / hoarders_divisor * (hoarders_divisor - 1)) {
    Connection* worst = nullptr;
    std::pair<std::size_t, std::size_t> most{};  // of its address, its own
    for (Connection* connection : behind) {
      const std::pair bytes(backlog.used_by(connection->share_), connection->backlog_bytes());
      if (bytes.second == 0 || bytes <= most) continue;
      worst = connection;
      most = bytes;
    }
    if (worst == nullptr) return;
    ++counters.hoarders_dropped;
    bytes_dropping += worst->bytes_dropped_ = most.second;
    worst->fail(Failure::backlog_full, ENOBUFS);
  }
}

void Connection::start_send_timer() {
  unacknowledged_ = resources_.ring.backend().unacknowledged_bytes(socket_);
  resources_.ring.timers().start(timer_, resources_.ring.now_ns() + resources_.send_timeout_ns);
}

// The kernel asks for more only when a good part of its own buffer is free: a slow reader is seen in what it has
// acknowledged.
void Connection::check_reader() {
  if (resources_.ring.backend().unacknowledged_bytes(socket_) < unacknowledged_) return start_send_timer();
  if (state_ == State::open) return fail(Failure::send_time, ETIMEDOUT);
  abort();
}

}  // namespace ringwall::connection
