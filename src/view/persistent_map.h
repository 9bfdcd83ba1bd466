// An ordered map whose copies are cheap and never change: a B+ tree with path copying. A change
// makes new nodes along one path, O(log n), and shares the rest with every older copy. Batches
// change nodes that they made themselves in place.
//
// Source: Driscoll, Sarnak, Sleator, Tarjan, "Making Data Structures Persistent" (1989); the owner
// mark of nodes that may be changed in place is Clojure's transients. Nodes keep four bytes of each
// key at hand, from behind what all their keys begin with, so that a search seldom looks at a key
// itself: Bohannon, McIlroy, Rastogi, "Main-Memory Index Structures with Fixed-Size Partial Keys"
// (2001).
//
// Threads: a map value may be read by any number of threads; one thread changes its own value.
// Values are shared_ptr<const V> with a `std::string key` member.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/assert.h"

namespace blixard::view {

template <class V>
class PersistentMap {
 public:
    using Value = std::shared_ptr<const V>;

    PersistentMap() = default;
    PersistentMap(const PersistentMap& other) : root_(other.root_), size_(other.size_) {
        other.freeze();  // both share the nodes now: neither may change them in place
    }
    PersistentMap& operator=(const PersistentMap& other) {
        root_ = other.root_;
        size_ = other.size_;
        owner_ = 0;
        other.freeze();
        return *this;
    }
    PersistentMap(PersistentMap&&) noexcept = default;
    PersistentMap& operator=(PersistentMap&&) noexcept = default;

    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    // The very same nodes: equal for certain.
    bool is_shared_with(const PersistentMap& other) const { return root_ == other.root_; }

    // Null where there is none. The pointer lives as long as this map or any copy holds the value.
    const V* find(std::string_view key) const {
        const Value* value = find_value(key);
        return value ? value->get() : nullptr;
    }

    Value find_shared(std::string_view key) const {
        const Value* value = find_value(key);
        return value ? *value : nullptr;
    }

    // Puts `value` under value->key, in the place of an older one.
    void put(Value value) {
        begin_change();
        if (!root_) root_ = make_node(true);
        root_ = editable(std::move(root_));
        NodePtr right = insert(*root_, std::move(value), 0);
        if (!right) return;
        NodePtr top = make_node(false);
        top->count = 2;
        top->children[0] = std::move(root_);
        top->children[1] = std::move(right);
        top->set_heads();
        root_ = std::move(top);
    }

    // False where there was none.
    bool erase(std::string_view key) {
        if (!find(key)) return false;
        begin_change();
        root_ = editable(std::move(root_));
        remove(*root_, key);
        --size_;
        while (root_ && !root_->leaf && root_->count == 1) root_ = NodePtr(root_->children[0]);
        if (root_ && root_->count == 0) root_ = nullptr;
        return true;
    }

    // Visits values with key >= `from`, ascending, while `visit(const Value&)` returns true.
    template <class Visit>
    void scan(std::string_view from, Visit&& visit) const {
        if (root_) scan_node(*root_, from, visit);
    }

    // Visits values whose key starts with `prefix`, ascending, while `visit(const Value&)` returns
    // true.
    template <class Visit>
    void scan_prefix(std::string_view prefix, Visit&& visit) const {
        scan(prefix, [&](const Value& value) {
            return std::string_view(value->key).substr(0, prefix.size()) == prefix && visit(value);
        });
    }

    template <class Visit>
    void for_each(Visit&& visit) const {
        scan("", [&](const Value& value) {
            visit(value);
            return true;
        });
    }

 private:
    static constexpr int kMax = 32;
    struct Node;
    using NodePtr = std::shared_ptr<Node>;
    using Owner = std::uint64_t;

    // Signed, as SSE2 compares only such.
    using Head = std::int32_t;
    static constexpr Head kNoHead = std::numeric_limits<Head>::max();

    struct Node {
        explicit Node(bool is_leaf) : leaf(is_leaf) { heads.fill(kNoHead); }
        bool leaf;
        int count = 0;
        std::size_t skip = 0;  // all keys below begin with the same `skip` bytes
        Owner owner = 0;
        std::array<Head, kMax> heads;        // of key(i), behind `skip`; kNoHead from `count` on
        std::array<Value, kMax> values;      // leaf
        std::array<NodePtr, kMax> children;  // inner

        // The smallest key at or below place `i`, and the largest one.
        const std::string& key(int i) const {
            const Node* node = this;
            for (; !node->leaf; i = 0) node = node->children[i].get();
            return node->values[i]->key;
        }
        const std::string& last_key() const {
            const Node* node = this;
            while (!node->leaf) node = node->children[node->count - 1].get();
            return node->values[node->count - 1]->key;
        }

        // How many keys are less than `key` (`or_equal`: or are the same), if it begins with the
        // same `skip` bytes as all of them.
        int rank(std::string_view key, bool or_equal) const {
            const Head head = head_of(key, skip);
            int at = 0;
            for (int i = 0; i < kMax; ++i) at += heads[i] < head;
            while (at < count && heads[at] == head && is_before(at, key, or_equal)) ++at;
            return at;
        }
        // The same for any key.
        int rank_of_any(std::string_view key, bool or_equal) const {
            const int side =
                key.substr(0, skip).compare(std::string_view(this->key(0)).substr(0, skip));
            if (side != 0) return side < 0 ? 0 : count;
            return rank(key, or_equal);
        }
        int lower_bound(std::string_view key) const { return rank_of_any(key, false); }
        int child_for(std::string_view key) const {
            return std::max(rank_of_any(key, true) - 1, 0);
        }

        void set_skip(std::size_t bytes) {
            skip = bytes;
            for (int i = 0; i < count; ++i) heads[i] = head_of(key(i), skip);
            std::fill(heads.begin() + count, heads.end(), kNoHead);
        }
        void set_heads() { set_skip(common_bytes(key(0), last_key())); }

     private:
        bool is_before(int at, std::string_view key, bool or_equal) const {
            const int order = std::string_view(this->key(at)).compare(key);
            return order < 0 || (or_equal && order == 0);
        }
    };

    // Four bytes of `key` behind `skip`, in the order of keys; NULs where it ends before.
    static Head head_of(std::string_view key, std::size_t skip) {
        const std::size_t left = key.size() - std::min(skip, key.size());
        std::uint32_t bytes = 0;
        if (left >= sizeof bytes) {
            std::memcpy(&bytes, key.data() + skip, sizeof bytes);
            bytes = __builtin_bswap32(bytes);
        } else if (left > 0 && key.size() >= sizeof bytes) {
            std::memcpy(&bytes, key.data() + key.size() - sizeof bytes, sizeof bytes);
            bytes = __builtin_bswap32(bytes) << 8 * (sizeof bytes - left);
        } else {
            for (std::size_t i = 0; i < left; ++i)
                bytes |= std::uint32_t{static_cast<unsigned char>(key[skip + i])} << (24 - 8 * i);
        }
        return static_cast<Head>(bytes ^ 0x8000'0000u);
    }

    static std::size_t common_bytes(std::string_view a, std::string_view b) {
        const auto differs = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
        return static_cast<std::size_t>(differs.first - a.begin());
    }

    // A key that is there begins as all keys of each node on its way do; so nothing but the heads
    // is looked at, and whether it was there turns out at the end.
    const Value* find_value(std::string_view key) const {
        const Node* node = root_.get();
        if (!node) return nullptr;
        while (!node->leaf) node = node->children[std::max(node->rank(key, true) - 1, 0)].get();
        const int at = node->rank(key, false);
        return at < node->count && node->values[at]->key == key ? &node->values[at] : nullptr;
    }

    // The nodes made so far are shared from now on. Writes only where there is something to write,
    // so that readers of a published map may copy it at the same time.
    void freeze() const {
        if (owner_ != 0) owner_ = 0;
    }
    void begin_change() {
        static std::atomic<Owner> last{0};
        if (owner_ == 0) owner_ = ++last;
    }
    NodePtr make_node(bool leaf) {
        auto node = std::make_shared<Node>(leaf);
        node->owner = owner_;
        return node;
    }
    // The node itself where this map made it since it was last shared, else a copy.
    NodePtr editable(NodePtr node) {
        if (node->owner == owner_) return node;
        auto copy = std::make_shared<Node>(*node);
        copy->owner = owner_;
        return copy;
    }

    // `key` comes below `node`, all of whose keys begin with the same `known` bytes as it does.
    static void fit(Node& node, std::string_view key, std::size_t known) {
        if (node.count == 0) {
            node.skip = key.size();
            return;
        }
        if (node.skip <= known) return;
        const std::string_view first = node.key(0);
        const std::size_t bytes = node.skip - known;
        if (key.substr(known, bytes) == first.substr(known, bytes)) return;
        node.set_skip(common_bytes(key, first));
    }

    // Inserts below `node`, whose keys begin with the same `known` bytes as the value's; a node
    // that had to be split gives its right half.
    NodePtr insert(Node& node, Value value, std::size_t known) {
        const std::string_view key = value->key;
        fit(node, key, known);
        const Head head = head_of(key, node.skip);
        if (node.leaf) {
            const int at = node.rank(key, false);
            if (at < node.count && node.heads[at] == head && node.values[at]->key == key) {
                node.values[at] = std::move(value);
                return nullptr;
            }
            ++size_;
            return insert_at(node, node.values, at, std::move(value), head);
        }
        const int at = std::max(node.rank(key, true) - 1, 0);
        node.heads[at] = std::min(node.heads[at], head);
        node.children[at] = editable(std::move(node.children[at]));
        NodePtr right = insert(*node.children[at], std::move(value), node.skip);
        if (!right) return nullptr;
        const Head right_head = head_of(right->key(0), node.skip);
        return insert_at(node, node.children, at + 1, std::move(right), right_head);
    }

    template <class Item>
    NodePtr insert_at(Node& node, std::array<Item, kMax>& items, int at, Item item, Head head) {
        if (node.count == kMax) return split(node, items, at, std::move(item));
        for (int i = at; i <= node.count; ++i) {
            std::swap(items[i], item);
            std::swap(node.heads[i], head);
        }
        ++node.count;
        return nullptr;
    }
    template <class Item>
    NodePtr split(Node& node, std::array<Item, kMax>& items, int at, Item item) {
        NodePtr right = make_node(node.leaf);
        // Ascending inserts (a bulk load) leave full nodes behind, others half full ones.
        const int keep = at == kMax ? kMax - 1 : kMax / 2;
        auto& moved = items_of<Item>(*right);
        for (int i = keep; i < kMax; ++i) moved[i - keep] = std::move(items[i]);
        right->count = kMax - keep;
        node.count = keep;
        Node& target = at > keep ? *right : node;
        if (at > keep) at -= keep;
        insert_at(target, items_of<Item>(target), at, std::move(item), kNoHead);
        node.set_heads();
        right->set_heads();
        return right;
    }
    template <class Item>
    static std::array<Item, kMax>& items_of(Node& node) {
        if constexpr (std::is_same_v<Item, Value>)
            return node.values;
        else
            return node.children;
    }

    // `key` is there.
    void remove(Node& node, std::string_view key) {
        if (node.leaf) {
            remove_at(node, node.values, node.rank(key, false));
            return;
        }
        const int at = std::max(node.rank(key, true) - 1, 0);
        node.children[at] = editable(std::move(node.children[at]));
        remove(*node.children[at], key);
        if (node.children[at]->count == 0) {
            remove_at(node, node.children, at);
        } else {
            node.heads[at] = head_of(node.key(at), node.skip);
            if (node.count > 1) merge_small(node, at == 0 ? 0 : at - 1);
        }
    }
    template <class Item>
    static void remove_at(Node& node, std::array<Item, kMax>& items, int at) {
        Item last;
        Head last_head = kNoHead;
        for (int i = --node.count; i >= at; --i) {
            std::swap(items[i], last);
            std::swap(node.heads[i], last_head);
        }
    }
    // Two neighbours that fit into one comfortably become one, so that deletions do not leave a
    // hollow tree.
    void merge_small(Node& node, int left_at) {
        if (node.children[left_at]->count + node.children[left_at + 1]->count > kMax / 2) return;
        node.children[left_at] = editable(std::move(node.children[left_at]));
        Node& left = *node.children[left_at];
        const Node& right = *node.children[left_at + 1];
        for (int i = 0; i < right.count; ++i) {
            if (left.leaf)
                left.values[left.count++] = right.values[i];
            else
                left.children[left.count++] = right.children[i];
        }
        left.set_heads();
        remove_at(node, node.children, left_at + 1);
    }

    template <class Visit>
    static bool scan_node(const Node& node, std::string_view from, Visit& visit) {
        if (node.leaf) {
            for (int i = from.empty() ? 0 : node.lower_bound(from); i < node.count; ++i)
                if (!visit(node.values[i])) return false;
            return true;
        }
        const int first = from.empty() ? 0 : node.child_for(from);
        for (int i = first; i < node.count; ++i)
            if (!scan_node(*node.children[i], i == first ? from : std::string_view{}, visit))
                return false;
        return true;
    }

    NodePtr root_;
    std::size_t size_ = 0;
    mutable Owner owner_ = 0;  // nodes that carry this number are ours alone; 0: none is
};

}  // namespace blixard::view
