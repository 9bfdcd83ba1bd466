#include "model/json_dom.h"

#include <algorithm>
#include <vector>

#include "model/documents.h"

namespace blixard::model::json {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;
using simdjson::dom::parser;

constexpr std::size_t kParsersKept = 4;  // a merge needs two; more only where calls nest
constexpr std::size_t kParserBytesKept = 256 * 1024;  // one that grew beyond goes back to the heap

std::vector<std::unique_ptr<parser>>& idle_parsers() {
    thread_local std::vector<std::unique_ptr<parser>> parsers;
    return parsers;
}

std::unique_ptr<parser> take_parser() {
    auto& idle = idle_parsers();
    if (!idle.empty()) {
        auto taken = std::move(idle.back());
        idle.pop_back();
        return taken;
    }
    return std::make_unique<parser>(kDocumentBytesMax);
}

Error json_error(simdjson::error_code code, std::size_t bytes) {
    const auto error = [](std::string message, std::string help = {}) {
        return Error{ErrorCode::kInvalid, std::move(message), {}, std::move(help)};
    };
    switch (code) {
        case simdjson::EMPTY: return error("the document is empty", "send a JSON object");
        case simdjson::DEPTH_ERROR:
            return error("the document is nested more than " + std::to_string(kDocumentDepthMax) +
                         " levels deep");
        case simdjson::UTF8_ERROR:
            return error("the document is not valid UTF-8", "send the text encoded as UTF-8");
        case simdjson::UNCLOSED_STRING:
            return error(
                "the document ends inside a string after " + std::to_string(bytes) + " bytes",
                "was it cut off?");
        case simdjson::UNESCAPED_CHARS:
            return error("the document is not JSON: a control character inside a string",
                         "write it as an escape: \\n, \\t, \\u001b");
        case simdjson::STRING_ERROR:
            return error("the document is not JSON: a string has an escape that JSON does not know",
                         "JSON knows \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\uXXXX");
        case simdjson::NUMBER_ERROR:
            return error("the document is not JSON: a number is malformed or too large");
        case simdjson::MEMALLOC:
            return {ErrorCode::kUnavailable, "no memory to read the document", {}, {}};
        default:
            return error(
                "the document is not JSON: a character is out of place, or it ends too early (" +
                    std::to_string(bytes) + " bytes)",
                "check it with a JSON tool: was it cut off, or is something after its end?");
    }
}

}  // namespace

Result<Dom> Dom::parse(std::string_view text) {
    if (text.size() > kDocumentBytesMax)
        return fail(ErrorCode::kTooLarge, "the document has " + std::to_string(text.size()) +
                                              " bytes; at most " +
                                              std::to_string(kDocumentBytesMax) + " are taken");
    if (text.empty()) return fail(json_error(simdjson::EMPTY, 0));
    Dom dom;
    dom.parser_ = take_parser();
    // simdjson's depth counts the root as well.
    const std::size_t capacity = std::max<std::size_t>(text.size(), 1024);
    if (dom.parser_->max_depth() != kDocumentDepthMax || dom.parser_->capacity() < capacity)
        if (auto code = dom.parser_->allocate(capacity, kDocumentDepthMax))
            return fail(json_error(code, 0));
    if (auto code = dom.parser_->parse(text.data(), text.size()).get(dom.root_))
        return fail(json_error(code, text.size()));
    return dom;
}

Dom::~Dom() {
    if (!parser_ || parser_->capacity() > kParserBytesKept) return;
    auto& idle = idle_parsers();
    if (idle.size() < kParsersKept) idle.push_back(std::move(parser_));
}

std::string describe_value(element value) {
    constexpr std::size_t kShown = 40;
    const auto with_value = [&](std::string kind) {
        std::string text = simdjson::minify(value);
        if (text.size() <= kShown) kind += " (" + text + ")";
        return kind;
    };
    switch (value.type()) {
        case element_type::OBJECT: return "an object";
        case element_type::ARRAY: return "a list";
        case element_type::STRING: return with_value("a string");
        case element_type::BOOL: return with_value("a boolean");
        case element_type::NULL_VALUE: return "null";
        default: return with_value("a number");
    }
}

Status check_plain(element value, const Path& path) {
    std::string_view text;
    if (value.get(text) == simdjson::SUCCESS) {
        if (text.find('\0') != std::string_view::npos)
            return fail_field(path.text(), "a string may not contain NUL");
        return {};
    }
    simdjson::dom::array array;
    if (value.get(array) == simdjson::SUCCESS) {
        std::size_t index = 0;
        for (const element child : array)
            RETURN_IF_ERROR(check_plain(child, Path{&path, {}, index++}));
        return {};
    }
    simdjson::dom::object object;
    if (value.get(object) != simdjson::SUCCESS) return {};
    std::vector<std::string_view> keys;
    for (const auto [key, child] : object) {
        const Path here{&path, key};
        if (key.find('\0') != std::string_view::npos)
            return fail_field(here.text(), "a member's name may not contain NUL");
        keys.push_back(key);
        RETURN_IF_ERROR(check_plain(child, here));
    }
    std::sort(keys.begin(), keys.end());
    const auto twice = std::adjacent_find(keys.begin(), keys.end());
    if (twice == keys.end()) return {};
    return fail_field(Path{&path, *twice}.text(), "this member is given twice");
}

}  // namespace blixard::model::json
