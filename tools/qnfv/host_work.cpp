#include "tools/qnfv/host_work.hpp"

#include "runtime/base/units.hpp"

#include <unistd.h>

#include <future>

namespace qnfv {

namespace {

/// What a step cannot do ends the work on its host.
struct step_failed {
  failure why;
};

std::string must(result<std::string> x) {
  if (!x)
    throw step_failed{x.error()};
  return std::move(*x);
}

host_report report_of(const ssh_host& host, const std::vector<std::string>& paths) {
  auto out = parse_host_report(must(host.run("report", paths)));
  if (!out)
    throw step_failed{out.error()};
  return std::move(*out);
}

void send_all(const ssh_host& host, const site_wanted& wanted, const site_plan& plan,
              const std::string& folder) {
  must(host.run("prepare"));
  std::vector<std::string> arrived;
  for (auto& file : plan.send) {
    auto incoming = folder + "/sites/" + wanted.site.value + "/incoming/" + file.digest;
    if (auto ok = host.send(file.source, incoming); !ok)
      throw step_failed{ok.error()};
    arrived.insert(arrived.end(), {file.digest, file.mode, file.path});
  }
  must(host.run("take", arrived));
}

std::string what_was_done(const site_plan& plan, bool was_running) {
  std::string out;
  if (!plan.send.empty())
    out = "sent " + std::to_string(plan.send.size()) + (plan.send.size() == 1 ? " file" : " files") + ", "
          + format_bytes(plan.bytes());
  if (plan.start)
    out += (out.empty() ? "" : "; ") + std::string{was_running ? "started again" : "started"};
  return out;
}

template <class Work>
host_outcome guarded(const ssh_host& host, const site_id& site, Work work) {
  host_outcome out;
  out.row.site = site;
  out.row.host = host.name();
  try {
    work(out);
  } catch (const step_failed& x) {
    out.why = x.why;
    out.row.error = x.why.text;
  }
  return out;
}

void describe(host_outcome& out) {
  out.row.folder = out.before.folder;
  out.row.manager = out.before.manager;
  out.row.version = out.before.version;
  out.row.running = out.before.running;
}

} // namespace

host_outcome bring_up(const ssh_host& host, const site_wanted& wanted) {
  return guarded(host, wanted.site, [&](host_outcome& out) {
    std::vector<std::string> paths;
    for (auto& x : wanted.files)
      paths.push_back(x.path);
    out.before = report_of(host, paths);
    describe(out);
    auto plan = plan_site(wanted, out.before);
    if (!plan)
      throw step_failed{plan.error()};
    if (!plan->send.empty())
      send_all(host, wanted, *plan, out.before.folder);
    if (plan->change_version) {
      must(host.run("try", {wanted.version}));
      must(host.run("use", {wanted.version}));
      out.row.version = wanted.version;
    }
    if (plan->start) {
      must(host.run("start", {wanted.fingerprint()}));
      out.row.running = true;
    }
    out.row.done = what_was_done(*plan, out.before.running);
  });
}

status bring_back(const ssh_host& host, const host_report& before) {
  for (auto& [verb, word] : {std::pair{"use", before.version}, std::pair{"start", before.started}})
    if (auto ok = host.run(verb, {word}); !ok)
      return ok.error();
  return done{};
}

host_outcome look(const ssh_host& host, const site_id& site) {
  return guarded(host, site, [&](host_outcome& out) {
    out.before = report_of(host, {});
    describe(out);
    if (!out.row.running)
      out.row.error = out.before.version.empty() ? "not deployed" : "stopped";
  });
}

host_outcome bring_down(const ssh_host& host, const site_id& site) {
  return guarded(host, site, [&](host_outcome& out) {
    out.before = report_of(host, {});
    describe(out);
    must(host.run("stop"));
    out.row.done = out.before.running ? "ended" : "";
    out.row.running = false;
  });
}

visiting_file::visiting_file(const topology& lab, const site_config& site, const std::string& file)
  : host_(lab, site, sockets_.path()), name_("visitor-" + std::to_string(::getpid())) {
  auto folder = value_or_throw(host_.run("receive"));
  path_ = folder.substr(0, folder.find('\n')) + "/" + name_;
  if (auto ok = host_.send(file, path_); !ok) {
    (void) host_.run("discard", {name_});
    throw command_error{ok.error()};
  }
}

visiting_file::~visiting_file() {
  (void) host_.run("discard", {name_});
}

std::vector<host_outcome> on_all_hosts(
  const topology& network, const std::vector<site_id>& sites,
  const std::function<host_outcome(const ssh_host&, const site_config&)>& work) {
  ssh_folder sockets;
  std::vector<std::future<host_outcome>> pending;
  for (auto& name : sites)
    pending.push_back(std::async(std::launch::async, [&, site = network.site(name)] {
      ssh_host host{network, *site, sockets.path()};
      return work(host, *site);
    }));
  std::vector<host_outcome> out;
  for (auto& x : pending)
    out.push_back(x.get());
  return out;
}

} // namespace qnfv
