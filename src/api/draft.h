// What a decision wants written: made by pure functions of the state, carried out by writes.h.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "api/subject.h"
#include "base/result.h"
#include "store/store.h"

namespace blixard::api {

struct Draft {
    store::Transaction transaction;  // empty: everything is as asked for already
    Subject subject;                 // what the answer shows
    std::string uid;                 // of the subject
    // Whether the transaction happened, where the store could not tell: proof_key has the value
    // that is put there, or, where proof_text is not empty, one that contains it. Where none is
    // put, it is gone.
    std::string proof_key;
    std::string proof_text;
    // Not empty: uses more of this project's quota. Such writes follow each other one by one.
    std::string quota_project;

    // Project, image, their deletions, the record ...
    static constexpr std::size_t kComparesUsual = 8;

    Draft& counts_on(std::string key, store::Revision mod_revision) {
        if (transaction.compares.empty()) transaction.compares.reserve(kComparesUsual);
        transaction.compares.push_back({std::move(key), mod_revision});
        return *this;
    }
    Draft& counts_on_absence(std::string key) { return counts_on(std::move(key), 0); }
    Draft& put(std::string key, std::string value) {
        transaction.puts.push_back({.key = std::move(key), .value = std::move(value)});
        return *this;
    }
    Draft& erase(std::string key) {
        transaction.deletes.push_back(std::move(key));
        return *this;
    }
    // The record that the write is about; `proof` (empty: the whole of it) stands in no value that
    // others may put there.
    Draft& put_proven(std::string key, std::string value, std::string proof = {}) {
        proof_key = key;
        proof_text = std::move(proof);
        return put(std::move(key), std::move(value));
    }
};

// May be called several times, each time with a newer state.
using Decide = std::function<Result<Draft>(const view::Snapshot&)>;

}  // namespace blixard::api
