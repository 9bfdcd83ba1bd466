#include "hypervisor/qemu/qmp_reader.h"

#include <simdjson.h>

#include "hypervisor/qemu/json_text.h"

namespace blixard::hypervisor {
namespace {

using simdjson::dom::element;

std::string text_of(element value) {
    std::string_view text;
    return value.get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

std::string member_text(element object, std::string_view name) {
    element value;
    return object[name].get(value) == simdjson::SUCCESS ? text_of(value) : std::string();
}

tl::unexpected<Error> no_qmp(std::string_view line) {
    return fail(ErrorCode::kInternal,
                "the monitor sent what is no QMP: " + std::string(line.substr(0, 120)));
}

}  // namespace

Result<QmpMessage> parse_qmp(std::string_view line) {
    simdjson::dom::parser parser;
    const simdjson::padded_string padded(line);
    element root, part;
    if (parser.parse(padded).get(root) != simdjson::SUCCESS || !root.is_object())
        return no_qmp(line);
    QmpMessage message;
    std::uint64_t id = 0;
    if (root["id"].get(id) == simdjson::SUCCESS) message.id = id;
    if (root["return"].get(part) == simdjson::SUCCESS) {
        message.kind = QmpMessage::Kind::kReturn;
        message.json = simdjson::minify(part);
    } else if (root["error"].get(part) == simdjson::SUCCESS && part.is_object()) {
        message.kind = QmpMessage::Kind::kError;
        message.name = member_text(part, "class");
        message.text = member_text(part, "desc");
    } else if (root["event"].get(part) == simdjson::SUCCESS && part.is_string()) {
        message.kind = QmpMessage::Kind::kEvent;
        message.name = text_of(part);
        if (root["data"].get(part) == simdjson::SUCCESS) message.json = simdjson::minify(part);
    } else if (root["QMP"].get(part) == simdjson::SUCCESS) {
        message.kind = QmpMessage::Kind::kGreeting;
        message.json = simdjson::minify(part);
    } else {
        return no_qmp(line);
    }
    return message;
}

Result<std::vector<QmpMessage>> QmpReader::feed(std::string_view bytes) {
    std::vector<QmpMessage> messages;
    if (failed_) return fail(ErrorCode::kUnavailable, "the monitor has been given up");
    while (!bytes.empty()) {
        const std::size_t end = bytes.find('\n');
        const std::string_view piece = bytes.substr(0, end);
        if (line_.size() + piece.size() > kQmpLineMax) {
            failed_ = true;
            line_.clear();
            return fail(ErrorCode::kTooLarge, "the monitor sent a line of more than " +
                                                  std::to_string(kQmpLineMax) + " bytes");
        }
        line_.append(piece);
        if (end == std::string_view::npos) break;
        bytes.remove_prefix(end + 1);
        if (line_.find_first_not_of(" \t\r") != std::string::npos) {
            auto message = parse_qmp(line_);
            if (!message) {
                failed_ = true;
                return tl::make_unexpected(message.error());
            }
            messages.push_back(std::move(*message));
        }
        line_.clear();
    }
    return messages;
}

std::string qmp_command(std::uint64_t id, std::string_view command, std::string_view arguments) {
    JsonObject object;
    object.add("execute", command);
    if (!arguments.empty()) object.add_json("arguments", arguments);
    return object.add("id", id).text() + "\n";
}

}  // namespace blixard::hypervisor
