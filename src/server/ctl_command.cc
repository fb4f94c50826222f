#include <ringwall/admin/client.h>
#include <ringwall/server/options.h>
#include <ringwall/server/output.h>

namespace ringwall::server {

int run_ctl(const Options& options) {
  const Result<admin::Reply> reply = admin::ask(options.ctl.at, options.ctl.method, options.ctl.target);
  if (!reply) {
    print_error("ringwall: " + reply.error().message + "\n");
    return 1;
  }
  if (reply->status / 100 == 2) return print(reply->body);
  print_error("ringwall: " + reply->body);
  return 1;
}

}  // namespace ringwall::server
