// What each operation does with its socket. Attempt::waits: not now; otherwise the request is gone.
#include "sim/kernel/sim_kernel.h"

#include <ringwall/check.h>

#include <linux/tls.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace ringwall::sim {

namespace {

constexpr std::byte target_pattern{0xe7};
constexpr std::uint64_t slow_connect_ns_max = 10 * second;

std::span<std::byte> target_of(const Request& request) {
  if (request.entry->opcode == IORING_OP_RECVMSG) {
    const iovec& part = request.parts.front();
    return std::span(static_cast<std::byte*>(part.iov_base), part.iov_len).subspan(request.bytes_done);
  }
  auto* data = reinterpret_cast<std::byte*>(static_cast<std::uintptr_t>(request.entry->addr));
  return std::span(data, request.entry->len).subspan(request.bytes_done);
}

bool is_send(const Request& request) {
  return request.entry->opcode == IORING_OP_SEND || request.entry->opcode == IORING_OP_SENDMSG;
}

bool writes_to_target(const Request& request) {
  const bool reads = request.entry->opcode == IORING_OP_RECV || request.entry->opcode == IORING_OP_RECVMSG ||
                     request.entry->opcode == IORING_OP_READ;
  return reads && (request.entry->flags & IOSQE_BUFFER_SELECT) == 0;
}

// FNV-1a, eight bytes at a time.
std::uint64_t sum_of(const Request& request) {
  std::uint64_t sum = 0xcbf29ce484222325;
  const auto add = [&sum](const void* bytes, std::size_t count) {
    for (std::size_t at = 0; at < count; at += sizeof(std::uint64_t)) {
      std::uint64_t word = 0;
      std::memcpy(&word, static_cast<const char*>(bytes) + at, std::min(count - at, sizeof word));
      sum = (sum ^ word) * 0x100000001b3;
    }
  };
  for (const iovec& part : request.parts) add(part.iov_base, part.iov_len);
  add(request.control.data(), request.control.size());
  return sum;
}

std::size_t bytes_of(const Request& request) {
  std::size_t bytes = 0;
  for (const iovec& part : request.parts) bytes += part.iov_len;
  return bytes;
}

// `count` bytes of the parts, beginning where the send stands.
void copy_payload(const Request& request, std::size_t count, std::vector<std::byte>& into) {
  into.clear();
  std::size_t skip = request.bytes_done;
  for (const iovec& part : request.parts) {
    const std::size_t skipped = std::min(skip, part.iov_len);
    skip -= skipped;
    const std::size_t taken = std::min(part.iov_len - skipped, count - into.size());
    const auto* from = static_cast<const std::byte*>(part.iov_base) + skipped;
    into.insert(into.end(), from, from + taken);
  }
}

}  // namespace

// Memory in flight
// -----------------------------------------------------------------------------------------------------

// The kernel may write to a receive's target, and read a send's bytes, until the last completion: whoever touches them
// meanwhile is found out.
void SimKernel::guard_memory(Request& request) {
  request.is_guarded = true;
  if (is_send(request)) request.guard = sum_of(request);
  if (writes_to_target(request)) std::ranges::fill(target_of(request), target_pattern);
}

void SimKernel::check_memory(const Request& request) {
  if (!request.is_guarded) return;
  if (is_send(request) && request.guard != sum_of(request)) {
    world_.fail("the bytes of a send were changed while it was in flight");
  }
  const auto is_pattern = [](std::byte byte) { return byte == target_pattern; };
  if (writes_to_target(request) && !std::ranges::all_of(target_of(request), is_pattern)) {
    world_.fail("the target of a receive was written to while it was in flight");
  }
}

// Receiving
// ------------------------------------------------------------------------------------------------------------

SimKernel::Attempt SimKernel::receive(Request& request) {
  if ((request.entry->msg_flags & ~(MSG_DONTWAIT | MSG_WAITALL | MSG_NOSIGNAL)) != 0) {
    world_.fail("a receive has a flag that is not modelled");
  }
  if ((request.entry->ioprio & IORING_RECV_MULTISHOT) != 0) return finish(request, -EINVAL), Attempt::ended;
  Endpoint* endpoint = request.file->endpoint.get();
  if (endpoint == nullptr) return finish(request, -ENOTCONN), Attempt::ended;
  check_memory(request);
  const bool is_message = request.entry->opcode == IORING_OP_RECVMSG;
  while (true) {
    const std::span<std::byte> target = target_of(request);
    RecordNote note;
    // A receive with room for a record's type is given the record as far as it has room for it.
    const bool asks_for_type = request.control_room >= CMSG_LEN(1);
    const std::size_t size = asks_for_type ? target.size() : receive_size(target.size());
    const long count = request.file->read(target.first(size), asks_for_type ? &note : nullptr);
    if (count == -EAGAIN && (request.entry->msg_flags & MSG_DONTWAIT) == 0) return Attempt::waits;
    if (count > 0) {
      world_.note_progress();
      request.bytes_done += static_cast<std::size_t>(count);
      if ((request.entry->msg_flags & MSG_WAITALL) != 0 && request.bytes_done < request.entry->len) continue;
    }
    if (is_message && count >= 0) answer_message(request, note);
    finish(request, static_cast<int>(request.bytes_done > 0 ? static_cast<long>(request.bytes_done) : count),
           nonempty_flag(*request.file));
    return Attempt::ended;
  }
}

// The header of a recvmsg is read once, and written to at the end.
void SimKernel::accept_message(Request& request) {
  const io_uring_sqe& entry = *request.entry;
  const auto& header = *reinterpret_cast<const msghdr*>(static_cast<std::uintptr_t>(entry.addr));
  if (header.msg_name != nullptr || header.msg_iovlen != 1 || entry.flags != 0 || entry.ioprio != 0 ||
      (entry.msg_flags & MSG_WAITALL) != 0) {
    world_.fail("this form of recvmsg is not modelled");
  }
  request.parts.assign(header.msg_iov, header.msg_iov + 1);
  request.control_room = header.msg_controllen;
}

void SimKernel::answer_message(const Request& request, const RecordNote& note) {
  auto& header = *reinterpret_cast<msghdr*>(static_cast<std::uintptr_t>(request.entry->addr));
  header.msg_flags = note.ended_record ? MSG_EOR : 0;
  header.msg_controllen = 0;
  if (!note.type) return;
  header.msg_controllen = request.control_room;
  cmsghdr* const control = CMSG_FIRSTHDR(&header);
  *control = {.cmsg_len = CMSG_LEN(1), .cmsg_level = SOL_TLS, .cmsg_type = TLS_GET_RECORD_TYPE};
  *CMSG_DATA(control) = *note.type;
  header.msg_controllen = std::min<std::size_t>(request.control_room, CMSG_SPACE(1));
}

SimKernel::Attempt SimKernel::receive_provided(Request& request) {
  const io_uring_sqe& entry = *request.entry;
  const bool is_multishot = (entry.ioprio & IORING_RECV_MULTISHOT) != 0;
  if ((entry.msg_flags & ~(MSG_DONTWAIT | MSG_NOSIGNAL)) != 0) {
    world_.fail("a receive has a flag that is not modelled with provided buffers");
  }
  if (is_multishot && entry.len != 0) return finish(request, -EINVAL), Attempt::ended;  // up to 6.8
  const auto found = groups_.find(entry.buf_group);
  if (found == groups_.end()) return finish(request, -ENOBUFS), Attempt::ended;
  BufferGroup& group = found->second;
  Endpoint* endpoint = request.file->endpoint.get();
  while (true) {
    // A buffer is looked for before the socket is, so without one even an idle socket's receive ends.
    if (group.is_empty() || world_.random().chance(world_.faults().no_buffers)) {
      return finish(request, -ENOBUFS), Attempt::ended;
    }
    if (endpoint == nullptr) return finish(request, -ENOTCONN), Attempt::ended;
    std::span<std::byte> buffer = group.next();
    if (entry.len != 0) buffer = buffer.first(std::min<std::size_t>(buffer.size(), entry.len));
    scratch_.resize(receive_size(buffer.size()));
    const long count = request.file->read(scratch_, nullptr);
    if (count == -EAGAIN && (entry.msg_flags & MSG_DONTWAIT) == 0) return Attempt::waits;
    if (count <= 0) return finish(request, static_cast<int>(count)), Attempt::ended;
    world_.note_progress();
    const std::uint16_t id = group.take();
    std::ranges::copy(std::span(scratch_).first(static_cast<std::size_t>(count)), buffer.begin());
    const std::uint32_t flags =
        IORING_CQE_F_BUFFER | static_cast<std::uint32_t>(id) << IORING_CQE_BUFFER_SHIFT | nonempty_flag(*request.file);
    if (!is_multishot || !goes_on(request)) return finish(request, static_cast<int>(count), flags), Attempt::ended;
    world_.trace("recv on %ld gives %ld, flags %lx, and goes on", entry.fd, count, flags);
    post(entry.user_data, static_cast<int>(count), flags | IORING_CQE_F_MORE);
    if (!request.file->is_readable() && !retries_when_empty_) return Attempt::waits;
  }
}

// A multishot request ends early when its completion does not fit into the queue, and now and then for no such reason.
bool SimKernel::goes_on(const Request& request) {
  return !request.is_ending && has_room() && !world_.random().chance(world_.faults().multishot_ends);
}

std::size_t SimKernel::receive_size(std::size_t room) {
  if (room == 0 || !world_.random().chance(world_.faults().short_receive)) return room;
  return static_cast<std::size_t>(world_.random().skewed(1, room));
}

// Told by TCP alone.
std::uint32_t SimKernel::nonempty_flag(const File& file) {
  return !file.tls && file.endpoint->unread() > 0 && world_.random().below(2) == 0 ? IORING_CQE_F_SOCK_NONEMPTY : 0;
}

SimKernel::Attempt SimKernel::poll(Request& request) {
  const int events = request.file->endpoint ? request.file->endpoint->end_events() : POLLHUP;
  if ((events & ~request.polled) == 0) return Attempt::waits;
  request.polled = events;
  world_.trace("poll on %ld gives %ld, and goes on", request.entry->fd, events);
  post(request.entry->user_data, events, IORING_CQE_F_MORE);
  return Attempt::waits;
}

SimKernel::Attempt SimKernel::read_mailbox(Request& request) {
  File& file = *request.file;
  if (request.entry->len < sizeof file.signals) return finish(request, -EINVAL), Attempt::ended;
  check_memory(request);
  if (file.signals == 0) return Attempt::waits;
  std::memcpy(target_of(request).data(), &file.signals, sizeof file.signals);
  file.signals = 0;
  return finish(request, sizeof file.signals), Attempt::ended;
}

// Sending
// --------------------------------------------------------------------------------------------------------------

// The header and the vector of a sendmsg are the kernel's only until they have been submitted; the bytes, and the
// control data, until the end.
int SimKernel::gather(Request& request) {
  const io_uring_sqe& entry = *request.entry;
  if ((entry.msg_flags & ~static_cast<unsigned>(MSG_DONTWAIT | MSG_NOSIGNAL | MSG_WAITALL | MSG_MORE)) != 0) {
    world_.fail("a send has a flag that is not modelled");
  }
  const bool makes_records = request.file->tls && request.file->tls->sends();
  if (makes_records && (entry.msg_flags & MSG_WAITALL) != 0) return -EOPNOTSUPP;
  if (entry.opcode == IORING_OP_SEND) {
    request.parts.push_back({reinterpret_cast<void*>(static_cast<std::uintptr_t>(entry.addr)), entry.len});
    return 0;
  }
  const auto& header = *reinterpret_cast<const msghdr*>(static_cast<std::uintptr_t>(entry.addr));
  if (header.msg_name != nullptr || (header.msg_controllen != 0 && !makes_records)) {
    world_.fail("this form of sendmsg is not modelled");
  }
  if (header.msg_iovlen > 1024) return -EMSGSIZE;
  request.parts.assign(header.msg_iov, header.msg_iov + header.msg_iovlen);
  const cmsghdr* const control = CMSG_FIRSTHDR(&header);
  if (control == nullptr) return 0;
  if (control->cmsg_level != SOL_TLS || control->cmsg_type != TLS_SET_RECORD_TYPE || control->cmsg_len < CMSG_LEN(1) ||
      (entry.msg_flags & MSG_MORE) != 0) {
    return -EINVAL;
  }
  request.control = {static_cast<const std::byte*>(header.msg_control), header.msg_controllen};
  request.record_type = *CMSG_DATA(control);
  return 0;
}

SimKernel::Attempt SimKernel::send(Request& request) {
  Endpoint* endpoint = request.file->endpoint.get();
  if (endpoint == nullptr) return finish(request, -EPIPE), Attempt::ended;
  check_memory(request);
  Random& random = world_.random();
  const bool waits_for_all = (request.entry->msg_flags & MSG_WAITALL) != 0;
  const std::size_t total = bytes_of(request);
  while (true) {
    std::size_t size = total - request.bytes_done;
    if (!request.file->tls) size = std::min(size, endpoint->space() + 1);
    // A few bytes of another record type are taken whole or not at all.
    const bool may_be_short = request.record_type == TlsLayer::application_data;
    if (size > 1 && may_be_short && random.chance(world_.faults().short_send)) size = random.skewed(1, size - 1);
    copy_payload(request, size, scratch_);
    const bool more_follows = (request.entry->msg_flags & MSG_MORE) != 0 && size == total - request.bytes_done;
    const long count = request.file->write(scratch_, request.record_type, more_follows);
    if (count == -EAGAIN && (request.entry->msg_flags & MSG_DONTWAIT) == 0) return Attempt::waits;
    if (count > 0) {
      world_.note_progress();
      request.bytes_done += static_cast<std::size_t>(count);
      if (waits_for_all && request.bytes_done < total) continue;
    }
    finish(request, static_cast<int>(request.bytes_done > 0 ? static_cast<long>(request.bytes_done) : count));
    return Attempt::ended;
  }
}

// Connections
// ----------------------------------------------------------------------------------------------------------

SimKernel::Attempt SimKernel::accept(Request& request) {
  File& listener = *request.file;
  if (request.entry->addr != 0 || request.entry->file_index != 0) world_.fail("this form of accept is not modelled");
  while (true) {
    // As with buffers, the descriptor comes first: without one, accept ends though nobody may be waiting.
    if (descriptors_ran_out()) return finish(request, -EMFILE), Attempt::ended;
    if (listener.backlog.empty()) return Attempt::waits;
    const std::shared_ptr<File> file = make_file(File::Kind::socket);
    attach(*file, std::move(listener.backlog.front()));
    listener.backlog.pop_front();
    const int descriptor = install(file);
    world_.note_progress();
    if ((request.entry->ioprio & IORING_ACCEPT_MULTISHOT) == 0 || !goes_on(request)) {
      return finish(request, descriptor), Attempt::ended;
    }
    world_.trace("accept on %ld gives %ld, and goes on", request.entry->fd, descriptor);
    post(request.entry->user_data, descriptor, IORING_CQE_F_MORE);
  }
}

void SimKernel::start_connect(Request& request) {
  File& file = *request.file;
  if (file.kind != File::Kind::socket) return finish(request, -ENOTSOCK);
  if (file.endpoint) return finish(request, file.endpoint->is_established() ? -EISCONN : -EALREADY);
  ring::SocketAddress to;
  if (request.entry->off > sizeof to.storage) return finish(request, -EINVAL);
  to.bytes = static_cast<socklen_t>(request.entry->off);
  std::memcpy(&to.storage, reinterpret_cast<const void*>(static_cast<std::uintptr_t>(request.entry->addr)), to.bytes);

  Random& random = world_.random();
  const Faults& faults = world_.faults();
  ConnectFate fate;
  if (random.chance(faults.connect_slow)) fate.delay_ns = random.skewed(millisecond, slow_connect_ns_max);
  if (random.chance(faults.connect_refused)) fate.answer = Answer::refuse;
  if (random.chance(faults.connect_unanswered)) fate.answer = Answer::ignore;
  if (file.source.bytes == 0) file.source = address_;
  if (!has_port(file.source, to)) return finish(request, -EADDRNOTAVAIL);
  ring::SocketAddress from = file.source;
  const auto port = static_cast<in_port_t>(random.between(32768, 60999));
  reinterpret_cast<sockaddr_in&>(from.storage).sin_port = htons(port);  // the same place in sockaddr_in6
  attach(file, world_.connect(from, to, fate));
  wait(request);
}

SimKernel::Attempt SimKernel::connect(Request& request) {
  const int result = request.file->endpoint->connect_result();
  if (result == -EAGAIN) return Attempt::waits;
  world_.note_progress();
  return finish(request, result), Attempt::ended;
}

void SimKernel::shut_down(Request& request) {
  Endpoint* endpoint = request.file->endpoint.get();
  finish(request, endpoint != nullptr ? endpoint->shut_down(static_cast<int>(request.entry->len)) : -ENOTCONN);
}

}  // namespace ringwall::sim
