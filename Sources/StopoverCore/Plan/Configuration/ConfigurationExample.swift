/// A migration.yaml with every key that this version carries out, for the documentation.
enum ConfigurationExample {
    static let text = """
        source:
          uri: https://in01-0123456789abcde.aws-us-west-2.vectordb.zillizcloud.com:19530
          token: ${SOURCE_TOKEN}            # a reference, never the secret itself
          plan: dedicated                   # guessed from the host name when left out
        target:
          uri: https://milvus.example.org:19530
          user: root                        # user and password, or a token
          password: file:secrets/target
          tls: {ca: ca.pem, cert: client.pem, key: client.key, server_name: milvus}
        collections:                        # left out: every collection of every database
          - source: default.articles
            target: library.articles        # the database is created when missing
            filter: 'year >= 2015'
            auto_id: regenerate             # the target makes new keys …
            keep_key_as: source_id          # … and the old ones stay readable
            dynamic_fields: keep
            promote:                        # a dynamic key becomes a field
              color: {type: varchar, max_length: 64, nullable: true}
              price: {type: double}
            partition_key: tenant
            shards: 1
            fields:
              title: {rename: headline, nullable: true, default: "untitled", max_length: 1024}
              internal_note: drop
            indexes: copy
            load: true
            on_existing: refuse
            on_bad_row: quarantine
          - source: shop.items
            partitions: [spring, summer]    # only these
          - source: "shop.*"                # a pattern, in quotes; the first that fits decides
            target: store.*                 # the same names in another database
          - source: "!shop.tmp_*"           # none of these, wherever this entry stands
        limits:
          memory: 1GiB
          spool: 20GiB
          spool_dir: /var/spool/stopover
          spool_packing: auto
          cursors: 4
          workers: 4
          page: 8MiB
          write_timeout_seconds: 60
          read_rows_per_second: 50000
          write_bytes_per_second: 20MB
        verify: digest
        defaults: faithful
        """ + "\n"
}
