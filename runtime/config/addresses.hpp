#pragma once

#include <string>

namespace qnfv {

/// What is wrong with "127.0.0.1:7101" or "[::1]:7101", port 0 to 65535; empty: nothing.
std::string address_problem(const std::string& address);
/// The same of "kme-a.example:8443", whose host may be a name.
std::string server_problem(const std::string& address);
/// What is wrong with "lab@10.0.0.1", "dc1.lab" or "root@fe80::1"; empty: nothing.
std::string ssh_problem(const std::string& destination);
/// An absolute path that every shell reads as it stands, and that leads where it says: no "..".
bool plain_path(const std::string&);
/// True for port 0: the system chooses.
bool any_port(const std::string& address);
bool on_loopback(const std::string& address);

} // namespace qnfv
