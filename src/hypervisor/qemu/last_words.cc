#include "hypervisor/qemu/last_words.h"

namespace blixard::hypervisor {
namespace {

constexpr std::string_view kNoForward = "Could not set up host forwarding rule '";
constexpr std::string_view kProgram = "qemu-system-x86_64: ";

// "tcp:127.0.0.1:8080-:80" -> "tcp port 127.0.0.1:8080"; empty where it is no such rule.
std::string host_port_of(std::string_view rule) {
    const std::size_t protocol_end = rule.find(':'), end = rule.find("-:");
    if (protocol_end == std::string_view::npos || end == std::string_view::npos ||
        end <= protocol_end)
        return {};
    return std::string(rule.substr(0, protocol_end)) + " port " +
           std::string(rule.substr(protocol_end + 1, end - protocol_end - 1));
}

// The line without "2026-01-02T03:04:05.678901Z qemu-system-x86_64: ".
std::string_view said(std::string_view line) {
    const std::size_t name = line.find(kProgram);
    return name == std::string_view::npos ? line : line.substr(name + kProgram.size());
}

}  // namespace

std::string why_not_started(std::string_view vm, std::string_view how, std::string_view words) {
    if (const std::size_t at = words.find(kNoForward); at != std::string_view::npos) {
        const std::string_view rule = words.substr(at + kNoForward.size());
        if (const std::string port = host_port_of(rule.substr(0, rule.find('\''))); !port.empty())
            return port + " of this host cannot be forwarded to VM " + std::string(vm) +
                   ": another program or VM has it, or the address is not this host's; take "
                   "another "
                   "port, or 0 for a free one";
    }
    std::string text =
        "QEMU of VM " + std::string(vm) + " ended while it started, with " + std::string(how);
    const char* separator = ": ";
    while (!words.empty()) {
        const std::size_t end = words.find('\n');
        if (const std::string_view line = said(words.substr(0, end)); !line.empty()) {
            text.append(separator).append(line);
            separator = "; ";
        }
        words = end == std::string_view::npos ? std::string_view() : words.substr(end + 1);
    }
    return text;
}

}  // namespace blixard::hypervisor
