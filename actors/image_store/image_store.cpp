#include "actors/image_store/image_store.hpp"

#include "actors/image_store/image_copy.hpp"

#include <algorithm>

namespace qnfv {

namespace {

using namespace std::chrono;
using self_ptr = stateful<image_store_actor, image_store_state>*;
using record_promise = caf::typed_response_promise<image_record>;

caf::error only_operators(self_ptr self) {
  auto from = self->sender_site();
  if (from == operator_name || from == self->env().site)
    return caf::none;
  return fail(ec::not_allowed, from.value + " may not change the catalogue: only operators do");
}

milliseconds request_timeout(self_ptr self) {
  return milliseconds{self->state.config.request_timeout_ms};
}

/// Removes a copy unless another image has the same bytes.
void drop_file(self_ptr self, const std::string& file) {
  auto& all = self->state.images;
  if (std::none_of(all.begin(), all.end(), [&](auto& x) { return x.file == file; }))
    if (auto ok = self->env().storage->remove(file); !ok)
      self->note("alarm", describe(ok.error()));
}

void copied(self_ptr self, const add_image& ask, const result<image_copy>& copy,
            record_promise promise) {
  auto refuse = [self, image = ask.image, promise](const caf::error& why) mutable {
    self->state.being_added.erase(image);
    promise.deliver(why);
  };
  if (!copy)
    return refuse(fail(copy.error()));
  image_record record;
  record.image = ask.image;
  record.kind = ask.kind;
  record.size_bytes = copy->size_bytes;
  record.digest = copy->digest;
  record.file = copy->file;
  self->request(self->state.config.store, request_timeout(self), save_image{record})
    .then(
      [self, record, promise](const accepted&) mutable {
        self->state.being_added.erase(record.image);
        self->state.images.push_back(record);
        promise.deliver(record);
      },
      [self, record, refuse](const caf::error& why) mutable {
        drop_file(self, record.file);
        refuse(why);
      });
}

caf::result<image_record> add(self_ptr self, const add_image& ask) {
  auto& s = self->state;
  if (auto no = only_operators(self))
    return no;
  if (!valid_name(ask.image.value))
    return fail(ec::invalid_argument, "\"" + ask.image.value + "\" is no name: letters, digits, . _ - only");
  if (s.find(ask.image) || s.being_added.count(ask.image) > 0)
    return fail(ec::already_exists, "an image named " + ask.image.value + " is there already");
  if (s.images.size() + s.being_added.size() >= s.config.images_max)
    return fail(ec::busy, "the catalogue is full: " + std::to_string(s.images.size()) + " images");
  s.being_added.insert(ask.image);
  auto promise = self->make_response_promise<image_record>();
  auto handle = caf::actor_cast<image_store_actor>(self);
  auto files = self->env().storage;
  auto limit = s.config.image_bytes_max;
  self->env().io->post([self, handle, files, ask, promise, limit, trace = current_trace()] {
    trace_scope scope{trace};
    auto copy = copy_image(*files, ask.path, ask.image.value, limit);
    continue_at(handle, [self, ask, copy, promise] { copied(self, ask, copy, promise); });
  });
  return promise;
}

caf::result<accepted> remove(self_ptr self, const remove_image& ask) {
  if (auto no = only_operators(self))
    return no;
  auto* found = self->state.find(ask.image);
  if (!found)
    return fail(ec::unknown_image, "no image named " + ask.image.value);
  auto promise = self->make_response_promise<accepted>();
  self->request(self->state.config.store, request_timeout(self), forget_image{ask.image})
    .then(
      [self, image = ask.image, file = found->file, promise](const accepted& x) mutable {
        auto& all = self->state.images;
        all.erase(std::remove_if(all.begin(), all.end(), [&](auto& y) { return y.image == image; }),
                  all.end());
        drop_file(self, file);
        promise.deliver(x);
      },
      [promise](const caf::error& why) mutable { promise.deliver(why); });
  return promise;
}

/// What a crash left: copies that were not finished, and finished ones that no record names.
void tidy(self_ptr self) {
  for (auto& file : self->env().storage->list("images"))
    drop_file(self, "images/" + file);
}

} // namespace

const image_record* image_store_state::find(const image_id& x) const {
  auto i = std::find_if(images.begin(), images.end(), [&](auto& y) { return y.image == x; });
  return i == images.end() ? nullptr : &*i;
}

image_store_actor::behavior_type
image_store(stateful<image_store_actor, image_store_state>* self, image_store_config config) {
  self->state.config = std::move(config);
  // Nothing is answered before the catalogue is open.
  self->request(self->state.config.store, request_timeout(self), load_images{})
    .await(
      [self](image_list& saved) {
        self->state.images = std::move(saved.images);
        tidy(self);
      },
      [self](const caf::error& why) {
        self->note("alarm", "cannot read the catalogue: " + describe(why));
        self->quit(why);
      });
  return {
    [self](const add_image& x) { return add(self, x); },
    [self](const list_images&) { return image_list{self->state.images}; },
    [self](const remove_image& x) { return remove(self, x); },
    [self](const find_image& x) -> caf::result<image_record> {
      if (auto* found = self->state.find(x.image))
        return *found;
      return fail(ec::unknown_image, "no image named " + x.image.value);
    },
    [](const continuation& x) { x.run(); },
  };
}

} // namespace qnfv
