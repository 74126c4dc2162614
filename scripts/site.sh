#!/usr/bin/env bash
# Makes the documentation a site in target/site/book, with mdbook (`cargo install mdbook --locked`). Links from a page to a
# source, which is no part of the site, lead to $SITE_SOURCES: `https://HOST/OWNER/NAME/blob/main`.
# `scripts/site.sh pages` stops before mdbook.
set -euo pipefail
cd "$(dirname "$0")/.."

sources=${SITE_SOURCES:-https://sources.invalid}
pages=target/site/src

# A copy of the pages. Links out of `docs` become links to the sources; mdbook names a README index.
copy() {
    rm -rf target/site
    mkdir -p target/site
    cp -r docs "$pages"
    sed -i -E "s#\]\(\.\./\.\./#](${sources}/#g" "$pages"/guide/*.md
    sed -i -E "s#\]\(\.\./#](${sources}/#g" "$pages"/*.md
    sed -i -E '/SUMMARY/!s#README\.md(\)|\#)#index.md\1#g' "$pages"/guide/*.md
    find "$pages" -maxdepth 1 -name '*.md' ! -name SUMMARY.md \
        -exec sed -i -E 's#\]\(guide/README\.md(\)|\#)#](guide/index.md\1#g' {} +
}

# Every relative link of the site leads to a file of the site.
check() {
    local page link missing=0
    while IFS= read -r page; do
        while IFS= read -r link; do
            [[ -z $link || $link =~ ^([a-z]+:|//) ]] && continue
            if ! [[ -e $(dirname "$page")/$link ]]; then
                echo "$page: there is no $link" >&2
                missing=1
            fi
        done < <(grep -oE '(href|src)="[^"]*"' "$page" | sed -E 's/^[a-z]+="([^"#?]*).*/\1/' | sort -u)
        # 404.html is shown below any address.
    done < <(find target/site/book -name '*.html' ! -name 404.html)
    return "$missing"
}

copy
[[ ${1:-} == pages ]] && exit
MDBOOK_BOOK__SRC=$pages mdbook build
check
