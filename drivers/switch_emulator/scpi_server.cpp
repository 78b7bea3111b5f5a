#include "drivers/switch_emulator/scpi_server.hpp"

#include <algorithm>

namespace qnfv {

namespace {

using self_ptr = stateful<switch_face_actor, scpi_server_state>*;
using step = std::variant<scpi_command, scpi_error>;
using joined_ports = std::vector<cross_connection>;

/// One line that is being carried out.
struct line_job {
  std::shared_ptr<scpi_session> session;
  std::deque<step> steps;
  std::string answers;
  scpi_port::reply reply;

  void add(const std::string& answer) { answers += (answers.empty() ? "" : ";") + answer; }
};
using job_ptr = std::shared_ptr<line_job>;

void next_step(self_ptr self, const job_ptr& job);

/// How a command ended; then comes the next.
void ended(self_ptr self, const job_ptr& job, const status& outcome) {
  if (!outcome && is_silence(outcome.error()))
    return job->reply({});
  if (!outcome)
    push_scpi_error(job->session->errors, to_scpi_error(outcome.error()));
  next_step(self, job);
}

void change(self_ptr self, const job_ptr& job, std::deque<switch_change> changes) {
  carry_out(self, self->state.config.glass, std::move(changes),
            [self, job](const status& outcome) { ended(self, job, outcome); });
}

/// With what is joined now.
void with_joined(self_ptr self, const job_ptr& job, std::function<void(joined_ports)> then) {
  ask_joined(self, self->state.config.glass, [=](result<joined_ports> x) {
    if (!x)
      return ended(self, job, x.error());
    then(std::move(*x));
  });
}

/// With what the switch says about itself.
void with_status(self_ptr self, const job_ptr& job, std::function<void(switch_status)> then) {
  ask_status(self, self->state.config.glass, [=](result<switch_status> x) {
    if (!x)
      return ended(self, job, x.error());
    then(std::move(*x));
  });
}

void answer(self_ptr self, const job_ptr& job, const std::string& text) {
  job->add(text);
  next_step(self, job);
}

std::deque<switch_change> joins(const scpi_command& x) {
  std::deque<switch_change> out;
  for (size_t i = 0; i < x.first.size(); ++i)
    out.push_back(cross_connect{{x.first[i], x.second[i]}});
  return out;
}

bool asks_for(const scpi_command& x, const cross_connection& pair) {
  for (size_t i = 0; i < x.first.size(); ++i)
    if (x.first[i] == pair.in && x.second[i] == pair.out)
      return true;
  return false;
}

/// All that is joined and not asked for goes first: its ports may be asked for.
void connect_only(self_ptr self, const job_ptr& job, const scpi_command& x) {
  with_joined(self, job, [=](const joined_ports& now) {
    auto changes = joins(x);
    for (auto& pair : now)
      if (!asks_for(x, pair))
        changes.push_front(disconnect{pair});
    change(self, job, std::move(changes));
  });
}

void connect_sub(self_ptr self, const job_ptr& job, const scpi_command& x) {
  with_joined(self, job, [=](const joined_ports& now) {
    std::deque<switch_change> changes;
    for (auto& pair : now) {
      auto named = x.second.empty()
                     ? std::find(x.first.begin(), x.first.end(), pair.in) != x.first.end()
                     : asks_for(x, pair);
      if (named)
        changes.push_back(disconnect{pair});
    }
    change(self, job, std::move(changes));
  });
}

void say_identity(self_ptr self, const job_ptr& job) {
  with_status(self, job, [=](const switch_status& x) {
    auto n = std::to_string(x.size);
    auto& c = self->state.config;
    answer(self, job,
           print_scpi(
             scpi_identity{"Polatis", "I-OST-" + n + "x" + n + "-LU1-DMHNS", c.serial, c.version}));
  });
}

void say_connections(self_ptr self, const job_ptr& job) {
  with_joined(self, job, [=](const joined_ports& now) {
    scpi_connections out;
    for (auto& x : now)
      out.emplace_back(x.in, x.out);
    answer(self, job, print_scpi(out));
  });
}

void say_connection_of(self_ptr self, const job_ptr& job, uint16_t port) {
  with_joined(self, job, [=](const joined_ports& now) {
    uint16_t other = 0;
    for (auto& x : now)
      other = x.in == port ? x.out : x.out == port ? x.in : other;
    answer(self, job, print_scpi_port(other));
  });
}

void say_states(self_ptr self, const job_ptr& job, const scpi_ports& ports) {
  with_status(self, job, [=](const switch_status& x) {
    auto holds = [](const std::vector<port_number>& list, port_number port) {
      return std::find(list.begin(), list.end(), port) != list.end();
    };
    scpi_port_states out;
    for (auto port : ports) {
      if (port > 2 * x.size)
        return ended(self, job, failure{ec::invalid_argument, "port " + std::to_string(port)});
      out.push_back(holds(x.failed, port) ? scpi_port_state::failed
                    : holds(x.dark, port) ? scpi_port_state::disabled
                                          : scpi_port_state::enabled);
    }
    answer(self, job, print_scpi(out));
  });
}

void do_command(self_ptr self, const job_ptr& job, const scpi_command& x) {
  switch (x.word) {
  case scpi_word::identify:
    return say_identity(self, job);
  case scpi_word::clear:
    job->session->errors.clear();
    return next_step(self, job);
  case scpi_word::reset:
    return next_step(self, job);
  case scpi_word::complete:
    return answer(self, job, "1");
  case scpi_word::size:
    return with_status(self, job, [=](const switch_status& now) {
      answer(self, job, print_scpi(scpi_size{now.size, now.size}));
    });
  case scpi_word::connect_add:
    return change(self, job, joins(x));
  case scpi_word::connect_only:
    return connect_only(self, job, x);
  case scpi_word::connect_sub:
    return connect_sub(self, job, x);
  case scpi_word::disconnect_all:
    return connect_only(self, job, {});
  case scpi_word::connections:
    return say_connections(self, job);
  case scpi_word::connection_of:
    return say_connection_of(self, job, x.first.front());
  case scpi_word::disable:
    return change(self, job, disable_ports(x.first));
  case scpi_word::enable:
    return with_status(
      self, job, [=](const switch_status& now) { change(self, job, enable_ports(now, x.first)); });
  case scpi_word::port_states:
    return say_states(self, job, x.first);
  case scpi_word::errors:
    job->add(print_scpi(job->session->errors));
    job->session->errors.clear();
    return next_step(self, job);
  case scpi_word::network_address:
    return answer(self, job,
                  "IP=\"127.0.0.1\" Gateway=\"0.0.0.0\" Mask=\"255.0.0.0\" "
                  "Broadcast=\"127.255.255.255\"");
  }
}

void next_step(self_ptr self, const job_ptr& job) {
  while (!job->steps.empty()) {
    auto now = std::move(job->steps.front());
    job->steps.pop_front();
    if (auto* command = std::get_if<scpi_command>(&now))
      return do_command(self, job, *command);
    push_scpi_error(job->session->errors, std::get<scpi_error>(std::move(now)));
  }
  job->reply(std::move(job->answers));
}

void start_line(self_ptr self, std::shared_ptr<scpi_session> session, const std::string& line,
                scpi_port::reply reply) {
  auto job = std::make_shared<line_job>();
  job->session = std::move(session);
  job->reply = std::move(reply);
  for (auto& x : parse_scpi_line(line))
    job->steps.push_back(std::move(x));
  next_step(self, job);
}

} // namespace

scpi_error to_scpi_error(const failure& why) {
  switch (why.code) {
  case ec::busy:
    return {-221, "Settings conflict;" + why.text};
  case ec::invalid_argument:
    return {-222, "Data out of range;" + why.text};
  case ec::device_failed:
    return {-240, "Hardware error;" + why.text};
  default:
    return {-200, "Execution error;" + why.text};
  }
}

switch_face_actor::behavior_type scpi_server(stateful<switch_face_actor, scpi_server_state>* self,
                                             scpi_server_config config) {
  self->state.config = std::move(config);
  // The port must not keep the actor alive that leaves it.
  auto weak = caf::weak_actor_ptr{self->ctrl()};
  self->state.service = self->state.config.port->serve(
    [self, weak](std::shared_ptr<scpi_session> session, std::string line, scpi_port::reply reply) {
      auto alive = caf::actor_cast<caf::strong_actor_ptr>(weak);
      if (!alive)
        return;
      continue_at(caf::actor_cast<switch_face_actor>(alive),
                  [=, line = std::move(line)] { start_line(self, session, line, reply); });
    });
  return {[](const switch_event&) {}, [](const continuation& x) { x.run(); }};
}

} // namespace qnfv
