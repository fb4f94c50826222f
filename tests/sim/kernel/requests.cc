// The life of a request: submitted, tried at once, waiting, cancelled, finished.
#include "sim/kernel/sim_kernel.h"

#include <ringwall/check.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace ringwall::sim {

namespace {

constexpr std::uint64_t worker_ns_max = 100 * microsecond;  // what goes to a worker thread: shutdown
constexpr std::uint64_t late_cancel_ns_max = 5 * millisecond;

const char* trace_format(std::uint8_t opcode) {
  switch (opcode) {
    case IORING_OP_NOP:
      return "nop on %ld gives %ld, flags %lx";
    case IORING_OP_ACCEPT:
      return "accept on %ld gives %ld, flags %lx";
    case IORING_OP_RECV:
      return "recv on %ld gives %ld, flags %lx";
    case IORING_OP_RECVMSG:
      return "recvmsg on %ld gives %ld, flags %lx";
    case IORING_OP_SEND:
      return "send on %ld gives %ld, flags %lx";
    case IORING_OP_SENDMSG:
      return "sendmsg on %ld gives %ld, flags %lx";
    case IORING_OP_CONNECT:
      return "connect on %ld gives %ld, flags %lx";
    case IORING_OP_SHUTDOWN:
      return "shutdown on %ld gives %ld, flags %lx";
    case IORING_OP_CLOSE:
      return "close on %ld gives %ld, flags %lx";
    case IORING_OP_ASYNC_CANCEL:
      return "cancel on %ld gives %ld, flags %lx";
    case IORING_OP_POLL_ADD:
      return "poll on %ld gives %ld, flags %lx";
    case IORING_OP_READ:
      return "read on %ld gives %ld, flags %lx";
    default:
      return "an unknown operation on %ld gives %ld, flags %lx";
  }
}

}  // namespace

void SimKernel::submit(const io_uring_sqe& entry) {
  if ((entry.flags & ~(IOSQE_BUFFER_SELECT | IOSQE_CQE_SKIP_SUCCESS)) != 0) {
    world_.fail("a submission has a flag that is not modelled");
  }
  const auto [place, is_new] = requests_.try_emplace(entry.user_data, nullptr);
  if (!is_new) world_.fail("a request was submitted with the user_data of one that is in flight");
  place->second = std::make_unique<Request>();
  Request& request = *place->second;
  request.entry = std::make_unique<io_uring_sqe>(entry);
  request.number = submitted_++;
  if (entry.opcode == IORING_OP_NOP) return finish(request, 0);
  if (entry.opcode == IORING_OP_ASYNC_CANCEL) return cancel(request);
  request.file = file_at(entry.fd);
  if (!request.file) return finish(request, -EBADF);
  request.file->in_flight.push_back(&request);
  start(request);
}

void SimKernel::start(Request& request) {
  File& file = *request.file;
  switch (request.entry->opcode) {
    case IORING_OP_CLOSE:
      release(request.entry->fd);
      return finish(request, 0);
    case IORING_OP_SHUTDOWN:
      // A worker thread does it, whatever the descriptor's name stands for by then.
      request.is_ending = true;
      return finish_later(request, world_.random().below(worker_ns_max), &SimKernel::shut_down);
    case IORING_OP_CONNECT:
      return start_connect(request);
    case IORING_OP_SEND:
    case IORING_OP_SENDMSG:
      if (file.kind != File::Kind::socket) return finish(request, -ENOTSOCK);
      if (file.writer != nullptr) world_.fail("a send while another request waits to write to the same socket");
      if (const int result = gather(request); result < 0) return finish(request, result);
      break;
    case IORING_OP_RECV:
    case IORING_OP_RECVMSG:
      if (file.kind != File::Kind::socket) return finish(request, -ENOTSOCK);
      if (request.entry->opcode == IORING_OP_RECVMSG) accept_message(request);
      break;
    case IORING_OP_ACCEPT:
      if (file.kind != File::Kind::listener) return finish(request, -EINVAL);
      break;
    case IORING_OP_POLL_ADD:
      if (file.kind != File::Kind::socket || request.entry->poll32_events != 0 ||
          request.entry->len != IORING_POLL_ADD_MULTI) {
        world_.fail("a poll for more than the end of a socket is not modelled");
      }
      break;
    case IORING_OP_READ:
      if (file.kind != File::Kind::mailbox) world_.fail("a read that is not from a mailbox is not modelled");
      break;
    default:
      world_.fail("an operation that is not modelled was submitted");
  }
  const bool is_transfer = request.entry->opcode != IORING_OP_ACCEPT && request.entry->opcode != IORING_OP_READ;
  const bool polls_first = is_transfer && (request.entry->ioprio & IORING_RECVSEND_POLL_FIRST) != 0;
  if (polls_first || attempt(request) == Attempt::waits) wait(request);
}

SimKernel::Attempt SimKernel::attempt(Request& request) {
  switch (request.entry->opcode) {
    case IORING_OP_RECV:
      return (request.entry->flags & IOSQE_BUFFER_SELECT) != 0 ? receive_provided(request) : receive(request);
    case IORING_OP_RECVMSG:
      return receive(request);
    case IORING_OP_SEND:
    case IORING_OP_SENDMSG:
      return send(request);
    case IORING_OP_ACCEPT:
      return accept(request);
    case IORING_OP_POLL_ADD:
      return poll(request);
    case IORING_OP_READ:
      return read_mailbox(request);
    case IORING_OP_CONNECT:
      return connect(request);
    default:
      world_.fail("a request that cannot wait was tried again");
  }
}

bool SimKernel::is_ready(const Request& request) const {
  const File& file = *request.file;
  switch (request.entry->opcode) {
    case IORING_OP_RECV:
    case IORING_OP_RECVMSG:
      return !file.endpoint || file.is_readable();
    case IORING_OP_SEND:
    case IORING_OP_SENDMSG:
      return !file.endpoint || file.endpoint->is_writable();
    case IORING_OP_ACCEPT:
      return !file.backlog.empty();
    case IORING_OP_POLL_ADD:
      return !file.endpoint || (file.endpoint->end_events() & ~request.polled) != 0;
    case IORING_OP_READ:
      return file.signals > 0;
    case IORING_OP_CONNECT:
      return file.endpoint->is_established() || file.endpoint->is_readable();
    default:
      return false;
  }
}

void SimKernel::wait(Request& request) {
  const std::uint8_t opcode = request.entry->opcode;
  const bool is_writer = opcode == IORING_OP_SEND || opcode == IORING_OP_SENDMSG || opcode == IORING_OP_CONNECT;
  File& file = *request.file;
  Request*& slot = is_writer ? file.writer : opcode == IORING_OP_POLL_ADD ? file.watcher : file.reader;
  if (slot != nullptr) world_.fail("two requests wait for the same socket, and nothing says which is to go first");
  slot = &request;
  guard_memory(request);
  if (is_ready(request)) wake(file);
}

void SimKernel::finish(Request& request, int result, std::uint32_t flags) {
  world_.trace(trace_format(request.entry->opcode), request.entry->fd, result, flags);
  const bool is_silent = (request.entry->flags & IOSQE_CQE_SKIP_SUCCESS) != 0 && result >= 0;
  if (!is_silent) post(request.entry->user_data, result, flags);
  if (request.file) {
    File& file = *request.file;
    std::erase(file.in_flight, &request);
    if (file.reader == &request) file.reader = nullptr;
    if (file.writer == &request) file.writer = nullptr;
    if (file.watcher == &request) file.watcher = nullptr;
  }
  requests_.erase(requests_.find(request.entry->user_data));
}

// Cancelling
// -----------------------------------------------------------------------------------------------------------

void SimKernel::cancel(Request& canceller) {
  const io_uring_sqe& entry = *canceller.entry;
  if (entry.cancel_flags != 0) world_.fail("a cancel has a flag that is not modelled");
  const auto found = requests_.find(entry.addr);
  finish(canceller, found == requests_.end() ? -ENOENT : cancel_one(*found->second));
}

// 0: its last completion is -ECANCELED; -ENOENT: it was just before; -EALREADY: it is on its way, by itself.
int SimKernel::cancel_one(Request& target) {
  Random& random = world_.random();
  if (target.is_ending || target.entry->opcode == IORING_OP_ASYNC_CANCEL) {
    return random.below(2) == 0 ? -ENOENT : -EALREADY;
  }
  target.is_ending = true;
  const bool is_late = random.chance(world_.faults().late_completion);
  const std::uint64_t delay_ns = is_late ? random.skewed(0, late_cancel_ns_max) : 0;
  if (random.chance(world_.faults().cancel_loses)) {
    if (random.below(2) == 0 && is_ready(target)) {
      end_with_what_is_there(target);
      return -ENOENT;
    }
    finish_later(target, delay_ns, &SimKernel::end_with_what_is_there);
    return -EALREADY;
  }
  if (random.below(2) == 0) {
    finish_cancelled(target);
  } else {
    finish_later(target, delay_ns, &SimKernel::finish_cancelled);
  }
  return 0;
}

void SimKernel::finish_cancelled(Request& request) {
  finish(request, request.bytes_done > 0 ? static_cast<int>(request.bytes_done) : -ECANCELED);
}

void SimKernel::end_with_what_is_there(Request& request) {
  if (is_ready(request) && attempt(request) == Attempt::ended) return;
  finish_cancelled(request);
}

// Nothing else can take its user_data before it has finished.
void SimKernel::finish_later(const Request& request, std::uint64_t delay_ns, void (SimKernel::*how)(Request&)) {
  run_later(delay_ns, [this, user_data = request.entry->user_data, how] { (this->*how)(*requests_.at(user_data)); });
}

}  // namespace ringwall::sim
