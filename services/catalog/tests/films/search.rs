use selvedge_proto::catalog::v1::{FilmMatch, SearchFilmsRequest, SearchFilmsResponse};
use selvedge_testing::{Served, violated};
use tonic::Code;

use crate::{Client, run, start};

const FILMS: &str = "
    insert into films (title, description, language_id) values
        ('Academy Dinosaur', 'A drama of a feminist and a mad scientist', 1),
        ('Robots & <b>Friends</b>', 'Nobody here', 1),
        ('The Robot', 'A robot who runs away from another robot', 2),
        ('Running Man', 'A <script>alert(1)</script> story of a robot and a big city', 1),
        ('Big City', 'Somebody runs', 1),
        ('City Big' || chr(1) || 'ger' || chr(2), 'The city is big and the big \"end\" is near', 1)";

async fn start_with_films() -> (Served, Client) {
    let (served, client) = start().await;
    run(&served.database, FILMS).await;
    (served, client)
}

async fn search(client: &mut Client, query: &str) -> SearchFilmsResponse {
    let request = SearchFilmsRequest { query: query.into(), ..Default::default() };
    client.search_films(request).await.unwrap().into_inner()
}

fn ids(matches: &[FilmMatch]) -> Vec<i32> {
    matches.iter().map(|found| found.film.as_ref().unwrap().id).collect()
}

#[tokio::test]
async fn words_are_found_in_whatever_form() {
    let (_served, mut client) = start_with_films().await;
    for (query, expected, approximate) in [
        ("robots", vec![2, 3, 4], false),
        ("ROBOT city", vec![4], false),
        ("runs", vec![3, 4, 5], false),
        ("\"big city\"", vec![4, 5], false),
        ("robot -run", vec![2], false),
        ("dinosaur or friends", vec![1, 2], false),
        ("scientist", vec![1], false),
        // Slips of the finger.
        ("dinsoaur", vec![1], true),
        ("acadmy", vec![1], true),
        ("robto", vec![2, 3], true),
        // Only words that everybody uses.
        ("the", vec![3], true),
        ("xyzzy", vec![], true),
    ] {
        let found = search(&mut client, query).await;
        let mut found_ids = ids(&found.matches);
        found_ids.sort_unstable();
        assert_eq!((found_ids, found.approximate), (expected, approximate), "{query}");
        assert!(found.matches.is_sorted_by(|a, b| a.rank >= b.rank), "{query}");
        assert_eq!(found.next_page_token, "");
    }
    // A title says more than a description, and often more than once.
    assert_eq!(ids(&search(&mut client, "robot").await.matches), [3, 2, 4]);
    let film = search(&mut client, "robot").await.matches[0].film.clone().unwrap();
    assert_eq!((film.title.as_str(), film.language.as_str()), ("The Robot", "Italian"));
}

#[tokio::test]
async fn what_was_found_is_marked_and_the_rest_is_text() {
    let (_served, mut client) = start_with_films().await;
    let robots = search(&mut client, "robot").await.matches;
    let html = |id| {
        let found = robots.iter().find(|found| found.film.as_ref().unwrap().id == id).unwrap();
        (found.title_html.as_str(), found.snippet_html.as_str())
    };
    assert_eq!(html(2), ("<mark>Robots</mark> &amp; &lt;b&gt;Friends&lt;/b&gt;", "Nobody here"));
    assert_eq!(html(3).0, "The <mark>Robot</mark>");
    assert_eq!(html(3).1.matches("<mark>robot</mark>").count(), 2);
    let (title, snippet) = html(4);
    assert_eq!(title, "Running Man");
    assert!(snippet.contains("<mark>robot</mark>") && !snippet.contains("<script"), "{snippet}");

    // The signs with which the database marks are nobody else's.
    let city = search(&mut client, "\"city is big\"").await.matches;
    assert_eq!(city[0].title_html, "<mark>City</mark> Bigger");
    assert!(city[0].snippet_html.contains("&quot;end&quot;"), "{}", city[0].snippet_html);
    let alike = search(&mut client, "frinds").await;
    assert!(alike.approximate);
    assert_eq!(alike.matches[0].title_html, "Robots &amp; &lt;b&gt;Friends&lt;/b&gt;");
    assert_eq!(alike.matches[0].snippet_html, "");
}

#[tokio::test]
async fn a_long_description_is_cut_to_where_it_is_found() {
    let (served, mut client) = start_with_films().await;
    run(
        &served.database,
        "insert into films (title, description, language_id)
         values ('Long', repeat('before ', 700) || 'needle' || repeat(' after', 700), 1)",
    )
    .await;
    let found = search(&mut client, "needle").await.matches;
    let snippet = &found[0].snippet_html;
    assert!(snippet.contains("<mark>needle</mark>") && snippet.len() < 400, "{snippet}");
    assert!(found[0].film.as_ref().unwrap().description.len() > 9_000);
}

/// All pages of a search, and whether each of them is approximate.
async fn all(client: &mut Client, query: &str, page_size: i32) -> (Vec<i32>, Vec<bool>) {
    let mut request = SearchFilmsRequest { query: query.into(), page_size, ..Default::default() };
    let (mut found, mut approximate) = (vec![], vec![]);
    loop {
        let page = client.search_films(request.clone()).await.unwrap().into_inner();
        found.extend(ids(&page.matches));
        approximate.push(page.approximate);
        if page.next_page_token.is_empty() {
            return (found, approximate);
        }
        request.page_token = page.next_page_token;
    }
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_repetition() {
    let (served, mut client) = start().await;
    run(
        &served.database,
        "insert into films (title, description, language_id)
         select case when n % 5 = 0 then 'Robot ' || n else 'Film ' || n end, repeat('robot ', n % 4 + 1), 1
         from generate_series(1, 50) n",
    )
    .await;
    for (query, count, alike) in [("robot", 50, false), ("robto", 10, true)] {
        let (expected, _) = all(&mut client, query, 100).await;
        assert_eq!(expected.len(), count);
        for page_size in [1, 3, 7] {
            let (found, approximate) = all(&mut client, query, page_size).await;
            assert_eq!(found, expected, "{query}, {page_size}");
            assert!(approximate.iter().all(|it| *it == alike));
        }
    }
}

#[tokio::test]
async fn of_a_frequent_word_the_newest_films_are_ranked() {
    let (served, mut client) = start().await;
    run(
        &served.database,
        "insert into films (title, description, language_id)
         select case when n = 1 then 'Robot' else 'Film' end, 'a robot', 1 from generate_series(1, 10001) n",
    )
    .await;
    // The oldest is the best, but not among as many as are ranked.
    assert_eq!(ids(&search(&mut client, "robot").await.matches)[..2], [2, 3]);
    run(&served.database, "delete from films where id = 10001").await;
    assert_eq!(ids(&search(&mut client, "robot").await.matches)[..2], [1, 2]);
}

#[tokio::test]
async fn a_token_keeps_to_its_kind_of_search() {
    let (served, mut client) = start_with_films().await;
    let alike = SearchFilmsRequest { query: "robto".into(), page_size: 1, ..Default::default() };
    let first = client.search_films(alike.clone()).await.unwrap().into_inner();
    // Now there is a film with this word, and the second page is still one of those that are like it.
    run(&served.database, "insert into films (title, language_id) values ('Robto', 1)").await;
    let second = SearchFilmsRequest { page_token: first.next_page_token.clone(), ..alike.clone() };
    let second = client.search_films(second).await.unwrap().into_inner();
    assert_eq!((second.approximate, second.matches.len()), (true, 1));
    assert!(!client.search_films(alike.clone()).await.unwrap().into_inner().approximate);

    // And where the last film with the words went meanwhile, nothing like them comes instead.
    let exact = SearchFilmsRequest { query: "robots".into(), page_size: 1, ..Default::default() };
    let first = client.search_films(exact.clone()).await.unwrap().into_inner();
    run(&served.database, "delete from films where id <> 3").await;
    let second = SearchFilmsRequest { page_token: first.next_page_token.clone(), ..exact };
    let second = client.search_films(second).await.unwrap().into_inner();
    assert_eq!((second.approximate, second.matches.len()), (false, 0));

    let other = SearchFilmsRequest { page_token: first.next_page_token, ..alike };
    assert_eq!(violated(&client.search_films(other).await.unwrap_err()), ["page_token"]);
}

#[tokio::test]
async fn nothing_that_can_be_asked_is_an_error_of_ours() {
    let (_served, mut client) = start_with_films().await;
    for query in [
        "'",
        "\"",
        "\\",
        "!",
        "&",
        "|",
        "(",
        "a & | !",
        ":*",
        "-",
        "- -",
        "--robot",
        "\"\"",
        "or",
        "OR or",
        "\u{1}",
        "\u{2}robot\u{1}",
        "\t\n",
        "%",
        "_",
        "<b>",
        "é",
        "日本",
        "\u{feff}",
        "robot:*",
        "-robot",
    ] {
        search(&mut client, query).await;
    }
    search(&mut client, &"\u{1F600}".repeat(200)).await;
    search(&mut client, &"a".repeat(200)).await;
    search(&mut client, &"a ".repeat(100)).await;
    for query in ["", "a\0b", &"a".repeat(201)] {
        let request = SearchFilmsRequest { query: query.into(), ..Default::default() };
        let status = client.search_films(request).await.unwrap_err();
        assert_eq!((status.code(), violated(&status)), (Code::InvalidArgument, vec!["query".into()]));
    }
}
