#include "actors/vnf_manager/vnf_manager.hpp"

#include <algorithm>
#include <sstream>

namespace qnfv {

namespace {

using namespace std::chrono;
using self_ptr = stateful<vnf_manager_actor, vnf_manager_state>*;
constexpr const char* list_file = "vnfs";

milliseconds vim_timeout(self_ptr self) {
  return milliseconds{self->state.config.vim_timeout_ms};
}

void save(self_ptr self) {
  std::ostringstream text;
  for (auto& [vnf, x] : self->state.vnfs)
    text << vnf.value << ' ' << x.image.value << ' ' << to_string(x.kind) << ' ' << x.vim_image << '\n';
  if (auto ok = self->env().storage->replace(list_file, byte_view{std::string_view{text.str()}}); !ok)
    self->note("alarm", "list of functions not saved: " + ok.error().text);
}

void change(self_ptr self, vnf_info& x, vnf_event event, std::string reason = {}) {
  auto to = next(x.state, event);
  if (!to)
    return;
  self->note("vnf", x.vnf.value + " " + to_string(x.state) + " -> " + to_string(*to)
                      + (reason.empty() ? "" : ": " + reason));
  x.state = *to;
  x.reason = std::move(reason);
}

void forget(self_ptr self, const vnf_id& vnf) {
  self->state.vnfs.erase(vnf);
  save(self);
}

void unload_if_unused(self_ptr self, const vnf_info& x) {
  for (auto& other : self->state.vnfs)
    if (other.second.vim_image == x.vim_image && other.first != x.vnf)
      return;
  self->request(self->state.config.vim, vim_timeout(self), unload_image{x.kind, x.vim_image})
    .then([](const accepted&) {},
          [self](const caf::error& why) { self->note("alarm", "unload: " + describe(why)); });
}

// -- create ----------------------------------------------------------------------------------------

void created(self_ptr self, const vnf_id& vnf, caf::error why) {
  auto waiting = std::move(self->state.waiting[vnf]);
  self->state.waiting.erase(vnf);
  for (auto& promise : waiting)
    if (why)
      promise.deliver(why);
    else
      promise.deliver(self->state.vnfs.at(vnf));
}

/// Removes what the VIM may have made of it, then says why there is no function.
void creation_failed(self_ptr self, const vnf_id& vnf, caf::error why) {
  auto& x = self->state.vnfs.at(vnf);
  change(self, x, vnf_event::failed, describe(why));
  auto done = [self, vnf, why] {
    forget(self, vnf);
    created(self, vnf, why);
  };
  self->request(self->state.config.vim, vim_timeout(self), stop_instance{vnf, x.kind})
    .then([done](const instance&) { done(); },
          [self, done](const caf::error& worse) {
            self->note("alarm", "clean-up: " + describe(worse));
            done();
          });
}

void create(self_ptr self, const create_vnf& ask) {
  auto& config = self->state.config;
  auto failed = [self, vnf = ask.vnf](const caf::error& why) { creation_failed(self, vnf, why); };
  auto check = [self, failed, ask](const instance& x) {
    auto& known = self->state.vnfs.at(ask.vnf);
    known.vim = x.vim;
    // A VIM may say "started" of something that died at once.
    if (!x.running)
      return failed(fail(ec::vim_failed, "the VIM started it, but it does not run: " + x.detail));
    change(self, known, vnf_event::started);
    save(self);
    created(self, ask.vnf, {});
  };
  self
    ->request(config.vim, vim_timeout(self), create_instance{ask.vnf, ask.kind, ask.vim_image})
    .then(
      [self, ask, failed, check](const instance&) {
        self->request(self->state.config.vim, vim_timeout(self), start_instance{ask.vnf, ask.kind})
          .then(
            [self, ask, failed, check](const instance&) {
              self
                ->request(self->state.config.vim, vim_timeout(self),
                          inspect_instance{ask.vnf, ask.kind})
                .then(check, failed);
            },
            failed);
      },
      failed);
}

caf::result<vnf_info> begin(self_ptr self, const create_vnf& ask) {
  auto& s = self->state;
  auto known = s.vnfs.find(ask.vnf);
  if (known != s.vnfs.end() && known->second.state != vnf_state::creating)
    return known->second;
  if (known == s.vnfs.end()) {
    if (s.vnfs.size() >= s.config.vnfs_max)
      return fail(ec::busy, std::to_string(s.vnfs.size()) + " functions run here already");
    auto& x = s.vnfs[ask.vnf];
    x.vnf = ask.vnf;
    x.site = s.config.site;
    x.image = ask.image;
    x.kind = ask.kind;
    x.vim_image = ask.vim_image;
    // Known before the VIM is: a crash in between must not leave an instance nobody knows.
    save(self);
    create(self, ask);
  }
  s.waiting[ask.vnf].push_back(self->make_response_promise<vnf_info>());
  return s.waiting[ask.vnf].back();
}

// -- stop ------------------------------------------------------------------------------------------

caf::result<vnf_info> stop(self_ptr self, const vnf_id& vnf) {
  auto found = self->state.vnfs.find(vnf);
  if (found == self->state.vnfs.end())
    return fail(ec::not_found, "no VNF " + vnf.value + " here");
  change(self, found->second, vnf_event::stop);
  auto promise = self->make_response_promise<vnf_info>();
  self
    ->request(self->state.config.vim, vim_timeout(self), stop_instance{vnf, found->second.kind})
    .then(
      [self, vnf, promise](const instance&) mutable {
        auto i = self->state.vnfs.find(vnf);
        if (i == self->state.vnfs.end()) {
          promise.deliver(fail(ec::not_found, "no VNF " + vnf.value + " here any more"));
          return;
        }
        change(self, i->second, vnf_event::stopped);
        auto out = i->second;
        unload_if_unused(self, out);
        forget(self, vnf);
        promise.deliver(out);
      },
      [self, vnf, promise](const caf::error& why) mutable {
        auto i = self->state.vnfs.find(vnf);
        if (i != self->state.vnfs.end())
          change(self, i->second, vnf_event::failed, describe(why));
        promise.deliver(why);
      });
  return promise;
}

// -- restart ---------------------------------------------------------------------------------------

/// Asks the VIM about every function of an earlier start.
void recall(self_ptr self) {
  auto content = self->env().storage->load(list_file);
  if (!content)
    return;
  std::istringstream text{std::string(content->begin(), content->end())};
  std::string vnf, image, kind, vim_image;
  while (text >> vnf >> image >> kind >> vim_image) {
    vnf_info x;
    x.vnf = vnf_id{vnf};
    x.site = self->state.config.site;
    x.image = image_id{image};
    x.kind = parse_image_kind(kind).value_or(image_kind::container);
    x.vim_image = vim_image;
    self->state.vnfs[x.vnf] = x;
    auto gone = [self, id = x.vnf](const std::string& why) {
      auto i = self->state.vnfs.find(id);
      if (i == self->state.vnfs.end())
        return;
      self->note("vnf", id.value + " is gone: " + why);
      self->request(self->state.config.vim, vim_timeout(self), stop_instance{id, i->second.kind})
        .then([](const instance&) {}, [](const caf::error&) {});
      unload_if_unused(self, i->second);
      forget(self, id);
    };
    self->request(self->state.config.vim, vim_timeout(self), inspect_instance{x.vnf, x.kind})
      .then(
        [self, id = x.vnf, gone](const instance& there) {
          auto i = self->state.vnfs.find(id);
          if (i == self->state.vnfs.end() || i->second.state != vnf_state::creating)
            return;
          i->second.vim = there.vim;
          if (!there.running)
            return gone("the VIM does not run it");
          change(self, i->second, vnf_event::started);
        },
        [gone](const caf::error& why) { gone(describe(why)); });
  }
}

} // namespace

vnf_manager_actor::behavior_type
vnf_manager(stateful<vnf_manager_actor, vnf_manager_state>* self, vnf_manager_config config) {
  self->state.config = std::move(config);
  recall(self);
  return {
    [self](const load_image& x) -> caf::result<image_sink> {
      return self->delegate(self->state.config.vim, x);
    },
    [self](const unload_image& x) -> caf::result<accepted> {
      return self->delegate(self->state.config.vim, x);
    },
    [self](const create_vnf& x) { return begin(self, x); },
    [self](const stop_vnf& x) { return stop(self, x.vnf); },
    [self](const list_vnfs&) {
      vnf_list out;
      for (auto& x : self->state.vnfs)
        out.vnfs.push_back(x.second);
      return out;
    },
    [](const peer_up&) {},
    [](const peer_down&) {},
  };
}

} // namespace qnfv
